import pg from 'pg';
import { createTable } from './entries.js';

const database = new pg.Client({ connectionString: process.env.DB_URL });
await database.connect();
await createTable(database);
await database.end();
console.log('the table is there');
