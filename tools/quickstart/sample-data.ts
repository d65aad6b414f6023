import { escapeIdentifier } from 'pg';
import { withClient } from '../../src/database/connect.js';
import { clientName } from '../../src/deployment/own-names.js';
import type { QuickstartSettings } from './environment.js';

export const poiCount = 100_000;

/** Creates and fills the table of points of interest: the same rows every time. */
export async function createSampleTable(settings: QuickstartSettings): Promise<void> {
  const pois = clientName(settings, 'pois');
  await withClient(settings.work, async (client) => {
    await client.query(`CREATE TABLE ${pois} (
      id        integer PRIMARY KEY,
      name      text NOT NULL,
      category  text NOT NULL,
      zipcode   integer NOT NULL,
      city      text NOT NULL,
      opened_at date NOT NULL,
      lon       double precision NOT NULL,
      lat       double precision NOT NULL
    )`);
    await client.query('SELECT setseed(0.5)');
    await client.query(`INSERT INTO ${pois} ${rowsOfPois}`, [poiCount, categories]);
    await client.query(`CREATE INDEX ON ${pois} (category, zipcode)`);
    await client.query(`CREATE INDEX ON ${pois} (zipcode)`);
    await client.query(`ANALYZE ${pois}`);
    await client.query(
      `GRANT SELECT ON ${pois} TO ${escapeIdentifier(settings.fragmentRole)}, ${escapeIdentifier(settings.client.user)}`,
    );
  });
}

// From common to rare.
const categories = [
  'shop',
  'restaurant',
  'cafe',
  'bakery',
  'bar',
  'supermarket',
  'hairdresser',
  'playground',
  'pharmacy',
  'school',
  'hotel',
  'park',
  'cinema',
  'library',
  'brewery',
  'theatre',
  'hospital',
  'museum',
  'observatory',
  'zoo',
];

// A city is a grid of 8 by 5 zipcodes; the first cities and the first categories get the most.
const rowsOfPois = `
  WITH city (number, name, first_zipcode, lon, lat) AS (VALUES
    ( 1, 'Berlin',     10115, 13.40, 52.52), ( 2, 'Hamburg',  20095,  9.99, 53.55),
    ( 3, 'München',    80331, 11.58, 48.14), ( 4, 'Köln',     50667,  6.96, 50.94),
    ( 5, 'Frankfurt',  60311,  8.68, 50.11), ( 6, 'Stuttgart',70173,  9.18, 48.78),
    ( 7, 'Düsseldorf', 40210,  6.78, 51.23), ( 8, 'Leipzig',   4103, 12.37, 51.34),
    ( 9, 'Dresden',     1067, 13.74, 51.05), (10, 'Hannover', 30159,  9.73, 52.37),
    (11, 'Nürnberg',   90402, 11.08, 49.45), (12, 'Bremen',   28195,  8.80, 53.08),
    (13, 'Rostock',    18055, 12.10, 54.09), (14, 'Kiel',     24103, 10.14, 54.32),
    (15, 'Kassel',     34117,  9.48, 51.31), (16, 'Mainz',    55116,  8.25, 50.00),
    (17, 'Ulm',        89073,  9.99, 48.40), (18, 'Jena',      7743, 11.59, 50.93),
    (19, 'Trier',      54290,  6.64, 49.75), (20, 'Passau',   94032, 13.46, 48.57)
  ),
  poi AS MATERIALIZED (
    SELECT id, 1 + floor(20 * power(random(), 3)) AS city,
           ($2::text[])[1 + floor(20 * power(random(), 9))::integer] AS category,
           random() AS east, random() AS north, floor(random() * 12000)::integer AS day
    FROM generate_series(1, $1::integer) AS id
  )
  SELECT poi.id, initcap(poi.category) || ' ' || poi.id, poi.category,
         city.first_zipcode + floor(poi.east * 8)::integer * 5 + floor(poi.north * 5)::integer,
         city.name, date '1990-01-01' + poi.day,
         city.lon - 0.2 + poi.east * 0.4, city.lat - 0.1 + poi.north * 0.2
  FROM poi JOIN city ON city.number = poi.city`;
