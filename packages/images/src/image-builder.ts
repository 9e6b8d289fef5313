import type { ResolvedType } from '@coppice/catalog';
import type { Digest, ImagePin, SourceTree } from '@coppice/model';
import type { ImageGarbage } from './garbage/image-garbage.ts';

/** Makes images, once per key. Failures: `build-failed`, `build-limit`, `base-failed`, `cancelled`. */
export interface ImageBuilder {
  /** Key of what `request` would build and the image where it was built already. Builds nothing. */
  look(request: BuildRequest): Promise<BuildOutlook>;
  /** The image; built where it is not there. Ten callers with one key cause one build. */
  build(request: BuildRequest, options: BuildOptions): Promise<BuiltImage>;
}

/** An image builder of this machine, which lets only so many builds run at once, and what deletes again what they made. */
export interface LocalImageBuilder extends ImageBuilder, ImageGarbage {
  /** Builds that run now, and that wait for their turn. */
  load(): { readonly running: number; readonly waiting: number };
}

export interface BuildOptions {
  /** Progress for people, whole lines without control characters. */
  readonly onProgress: (line: string) => void;
  readonly signal?: AbortSignal;
}

/** An application to build, or a service's own image (no source). Only what enters the key is here, but for `project`. */
export interface BuildRequest {
  /** Whose package cache is used; does not enter the key. */
  readonly project: string;
  readonly type: ResolvedType;
  readonly application: ApplicationBuild | undefined;
}

export interface ApplicationBuild {
  readonly source: SourceTree;
  readonly steps: readonly { readonly run: string; readonly inputs: readonly string[] | undefined }[];
  readonly variables: Readonly<Record<string, string>>;
  /** Files the platform adds, by absolute path in the image: a static server's configuration, say. */
  readonly files: Readonly<Record<string, string>>;
}

export interface BuildOutlook {
  readonly key: Digest;
  /** What entered the key, by name, for `explain build`. */
  readonly inputs: readonly { readonly name: string; readonly value: string }[];
  readonly image: ImagePin | undefined;
}

export interface BuiltImage extends BuildOutlook {
  readonly image: ImagePin;
  /** False where it was there. */
  readonly built: boolean;
}
