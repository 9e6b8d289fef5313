export * from './image-builder.ts';
export * from './registry/registry-handler.ts';
export * from './store/build-record.ts';
export * from './store/image-manifest.ts';
export * from './store/oci-store.ts';
