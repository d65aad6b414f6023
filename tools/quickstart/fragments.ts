import { createHash } from 'node:crypto';

export interface Fragment {
  readonly title: string;
  readonly partitionKey: string;
  readonly datatype: 'integer' | 'text';
  readonly query: string;
  readonly hash: string;
}

/** Conditions as PartitionCache extracts them from an application's queries. */
export const fragments: readonly Fragment[] = [
  zipcodes('a museum', "FROM pois AS p1 WHERE p1.category = 'museum'"),
  zipcodes(
    'a cinema opened since 2015',
    "FROM pois AS p1 WHERE p1.category = 'cinema' AND p1.opened_at >= DATE '2015-01-01'",
  ),
  zipcodes(
    'a pharmacy in the north',
    "FROM pois AS p1 WHERE p1.category = 'pharmacy' AND p1.lat > 53.5",
  ),
  zipcodes(
    'a theatre and a brewery',
    "FROM pois AS p1, pois AS p2 WHERE p1.zipcode = p2.zipcode AND p1.category = 'theatre' AND p2.category = 'brewery'",
  ),
  zipcodes(
    'a hotel within 500 m of a park',
    "FROM pois AS p1, pois AS p2 WHERE p1.zipcode = p2.zipcode AND p1.category = 'hotel' AND p2.category = 'park' " +
      'AND abs(p1.lat - p2.lat) < 0.0045 AND abs(p1.lon - p2.lon) < 0.0072',
  ),
  zipcodes(
    'five cafes or more',
    "FROM pois AS p1 WHERE p1.category = 'cafe' GROUP BY p1.zipcode HAVING count(*) >= 5",
  ),
  // Stored as an empty set, which tells the application that it does not need to search at all.
  zipcodes('a lighthouse (there is none)', "FROM pois AS p1 WHERE p1.category = 'lighthouse'"),
  cities('a zoo east of 12°', "FROM pois AS p1 WHERE p1.category = 'zoo' AND p1.lon > 12"),
  cities(
    'an observatory as old as 1990',
    "FROM pois AS p1 WHERE p1.category = 'observatory' AND p1.opened_at < DATE '1991-01-01'",
  ),
  cities(
    'a hospital beside a school',
    'FROM pois AS p1, pois AS p2 WHERE p1.city = p2.city AND p1.zipcode = p2.zipcode ' +
      "AND p1.category = 'hospital' AND p2.category = 'school' AND abs(p1.lat - p2.lat) < 0.002 AND abs(p1.lon - p2.lon) < 0.003",
  ),
  cities(
    '1,000 restaurants or more',
    "FROM pois AS p1 WHERE p1.category = 'restaurant' GROUP BY p1.city HAVING count(*) >= 1000",
  ),
  cities('a name that ends in 777', "FROM pois AS p1 WHERE p1.name LIKE '%777' AND p1.lat < 49"),
];

function zipcodes(title: string, rest: string): Fragment {
  return fragment(title, 'zipcode', 'integer', `SELECT DISTINCT p1.zipcode ${rest}`);
}

function cities(title: string, rest: string): Fragment {
  return fragment(title, 'city', 'text', `SELECT DISTINCT p1.city ${rest}`);
}

function fragment(
  title: string,
  partitionKey: string,
  datatype: Fragment['datatype'],
  query: string,
): Fragment {
  const hash = createHash('sha1').update(query).digest('hex');
  return { title, partitionKey, datatype, query, hash };
}
