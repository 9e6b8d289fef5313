export { type Authorization, createGitHttpHandler, type GitHttpHandler, type GitHttpOptions } from './git-http-handler.ts';
export { defaultGitUser, type GitUser } from './git-user.ts';
export { type GitRepositories, openRepositories, type RepositoriesOptions } from './open-repositories.ts';
export * from './receiver.ts';
export { refNameProblem, shortRefName } from './ref-name.ts';
export * from './repository.ts';
