import type { Migration } from './migration.ts';

/** Where an environment's data comes from; backups and the trash; a number for each change of an activity. */
export const livingCopies: Migration = {
  version: 2,
  sql: `
    -- Canonical JSON; NULL where there is none.
    ALTER TABLE environments ADD COLUMN data_source TEXT;
    ALTER TABLE environments ADD COLUMN volume_moves TEXT;
    ALTER TABLE environments ADD COLUMN keep_data TEXT;

    -- Backups and the trash refer neither to environments nor to deployments: they outlive them.
    CREATE TABLE backups (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
      environment TEXT NOT NULL,
      environment_name TEXT NOT NULL,
      kind TEXT NOT NULL,
      reason TEXT NOT NULL,
      deployment TEXT,
      before_deployment TEXT,
      spec TEXT REFERENCES specs (digest),
      created_at TEXT NOT NULL,
      bytes INTEGER
    ) STRICT;
    CREATE INDEX backups_by_project ON backups (project, sequence);
    CREATE INDEX backups_by_environment ON backups (environment, sequence);
    CREATE INDEX backups_by_deployment ON backups (before_deployment, sequence);

    CREATE TABLE trash (
      sequence INTEGER PRIMARY KEY AUTOINCREMENT,
      id TEXT NOT NULL UNIQUE,
      project TEXT NOT NULL REFERENCES projects (name) ON DELETE CASCADE,
      environment TEXT NOT NULL,
      environment_name TEXT NOT NULL,
      branch TEXT NOT NULL,
      node TEXT,
      folder TEXT,
      type TEXT,
      snapshot TEXT,
      deployment TEXT,
      commit_id TEXT,
      deleted_at TEXT NOT NULL,
      purge_at TEXT NOT NULL,
      bytes INTEGER
    ) STRICT;
    CREATE INDEX trash_by_project ON trash (project, sequence);
    CREATE INDEX trash_by_environment ON trash (environment, sequence);

    -- The last number given to a change of an activity; kept apart, so that none is given twice when activities go with their project.
    CREATE TABLE activity_revision (
      only INTEGER PRIMARY KEY CHECK (only = 1),
      last INTEGER NOT NULL
    ) STRICT;
    INSERT INTO activity_revision (only, last) SELECT 1, coalesce(max(sequence), 0) FROM activities;
    ALTER TABLE activities ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
    UPDATE activities SET revision = sequence;
    CREATE INDEX activities_by_revision ON activities (revision);
  `,
};
