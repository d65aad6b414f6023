/** SQL: whether the row of the catalogue whose xmin this is was written by the transaction that asks. */
export type WrittenHere = (xmin: string) => string;

/*
 * Each part of the listing yields these columns, in this order:
 *   class, oid, part     the address of the object in the catalogue
 *   kind, identity       what people call it; identity as SQL has it
 *   parents              `<kind> <identity>` of what contains it: gone with it, and named with it
 *   definition
 *   verbatim             of it, what every version of PostgreSQL prints alike; NULL: all
 *   owner                NULL where it is that of a parent
 *   acl, acl_type        as acldefault() calls it; NULL where nothing can be granted
 *   written              whether this transaction wrote its row
 *   rewritten            whether it did so to give it its definition, the same as before perhaps
 *
 * The names stand without their schema: the listing is run under a search_path of pg_catalog alone (printing.ts).
 */
