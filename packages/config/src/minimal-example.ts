/** A whole file of ten lines, shown where a commit has none. */
export const minimalExample = `applications:
  web:
    type: nodejs:24
    start: node server.js            # listens on $PORT
    relationships: [db, cache]
    mounts: { uploads: storage }
services:
  db: postgresql:15
  cache: redis:7
`;
