import type { Migration } from './migration.ts';

/** The first schema. */
export const initial: Migration = {
  version: 1,
  sql: `
    CREATE TABLE projects (
      id TEXT PRIMARY KEY,
      name TEXT NOT NULL UNIQUE,
      created_at TEXT NOT NULL
    ) STRICT;

    CREATE TABLE releases (
      digest TEXT PRIMARY KEY,
      json TEXT NOT NULL
    ) STRICT;

    CREATE TABLE specs (
      digest TEXT PRIMARY KEY,
      json TEXT NOT NULL
    ) STRICT;

    CREATE TABLE ledger (
      project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
      tree TEXT NOT NULL,
      release TEXT NOT NULL REFERENCES releases (digest),
      resolved_at TEXT NOT NULL,
      PRIMARY KEY (project, tree)
    ) STRICT, WITHOUT ROWID;

    -- No reference to environments: deployments stay as history when theirs is gone.
    CREATE TABLE deployments (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
      environment TEXT NOT NULL,
      commit_id TEXT NOT NULL,
      tree TEXT NOT NULL,
      release TEXT REFERENCES releases (digest),
      spec TEXT REFERENCES specs (digest),
      status TEXT NOT NULL,
      reason TEXT NOT NULL,
      actor TEXT NOT NULL,
      started_at TEXT NOT NULL,
      finished_at TEXT,
      build_ms REAL NOT NULL DEFAULT 0,
      plan_ms REAL NOT NULL DEFAULT 0,
      apply_ms REAL NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX deployments_by_environment ON deployments (environment, sequence);
    CREATE INDEX deployments_by_project ON deployments (project, sequence);

    CREATE TABLE plans (
      deployment TEXT NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
      position INTEGER NOT NULL,
      digest TEXT NOT NULL,
      changes INTEGER NOT NULL,
      json TEXT NOT NULL,
      PRIMARY KEY (deployment, position)
    ) STRICT;

    CREATE TABLE jobs (
      deployment TEXT NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
      node TEXT NOT NULL,
      hook TEXT NOT NULL,
      state TEXT NOT NULL,
      exit_code INTEGER,
      PRIMARY KEY (deployment, node, hook)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE environments (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      project TEXT NOT NULL REFERENCES projects (name),
      name TEXT NOT NULL,
      branch TEXT NOT NULL,
      parent TEXT REFERENCES environments (id) ON DELETE SET NULL,
      wanted INTEGER NOT NULL,
      run TEXT NOT NULL,
      spec TEXT REFERENCES specs (digest),
      data_generation INTEGER NOT NULL,
      attempt TEXT REFERENCES deployments (id),
      live TEXT REFERENCES deployments (id),
      created_at TEXT NOT NULL,
      UNIQUE (project, name),
      UNIQUE (project, branch)
    ) STRICT;

    CREATE TABLE addresses (
      environment TEXT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
      node TEXT NOT NULL,
      position INTEGER NOT NULL CHECK (position BETWEEN 1 AND 254),
      PRIMARY KEY (environment, node),
      UNIQUE (environment, position)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE secrets (
      environment TEXT NOT NULL REFERENCES environments (id) ON DELETE CASCADE,
      name TEXT NOT NULL,
      nonce BLOB NOT NULL,
      sealed BLOB NOT NULL,
      tag BLOB NOT NULL,
      PRIMARY KEY (environment, name)
    ) STRICT, WITHOUT ROWID;

    -- No reference to environments: the intent to delete one outlives it until the ref has moved.
    CREATE TABLE intents (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
      environment TEXT NOT NULL,
      ref TEXT NOT NULL,
      previous TEXT NOT NULL,
      next TEXT NOT NULL,
      deployment TEXT REFERENCES deployments (id) ON DELETE CASCADE,
      actor TEXT NOT NULL,
      options TEXT NOT NULL,
      phase TEXT NOT NULL
    ) STRICT;

    CREATE TABLE activities (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      kind TEXT NOT NULL,
      state TEXT NOT NULL,
      project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
      environment TEXT,
      deployment TEXT REFERENCES deployments (id) ON DELETE CASCADE,
      actor TEXT NOT NULL,
      cause TEXT NOT NULL,
      started_at TEXT NOT NULL,
      finished_at TEXT,
      lines INTEGER NOT NULL DEFAULT 0
    ) STRICT;
    CREATE INDEX activities_by_project ON activities (project, sequence);
    CREATE INDEX activities_by_environment ON activities (environment, sequence);

    CREATE TABLE activity_lines (
      activity TEXT NOT NULL REFERENCES activities (id) ON DELETE CASCADE,
      position INTEGER NOT NULL,
      text TEXT NOT NULL,
      PRIMARY KEY (activity, position)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE tokens (
      hash BLOB PRIMARY KEY,
      name TEXT NOT NULL,
      created_at TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
  `,
};
