/** What the engine knows of a schema: read from the catalog of the live database and of the scratch cluster alike. */
export interface Catalog {
  readonly tables: readonly CatalogTable[];
  /** Types whose definition a stored value depends on, keyed by `schema.type`. */
  readonly enums: Readonly<Record<string, readonly string[]>>;
  readonly domains: Readonly<Record<string, string>>;
  /** What each domain demands, as conditions on VALUE. */
  readonly domainChecks: Readonly<Record<string, readonly string[]>>;
  readonly materializedViews: readonly string[];
  readonly publications: readonly string[];
  /** Logical replication slots of this database: the merge is decoded by their readers. */
  readonly logicalSlots: readonly string[];
  /** Schemas outside pg_catalog in which `=` of a column's or index's type lives, such as that of citext. */
  readonly operatorSchemas: readonly string[];
}

export interface CatalogTable {
  readonly oid: number;
  readonly schema: string;
  readonly name: string;
  readonly partitioned: boolean;
  readonly unlogged: boolean;
  readonly rowSecurity: boolean;
  /** Row security would hide rows from the role that asked. */
  readonly rowSecurityActive: boolean;
  readonly hasRules: boolean;
  /** Takes part in table inheritance other than partitioning. */
  readonly inherits: boolean;
  /** Foreign keys that single partitions have on their own. */
  readonly partitionKeys: readonly PartitionKey[];
  /** Deferrable UNIQUE and EXCLUDE constraints that single partitions have on their own. */
  readonly partitionDeferrables: readonly string[];
  readonly columns: readonly CatalogColumn[];
  readonly primaryKey?: readonly string[];
  readonly uniques: readonly UniqueIndex[];
  readonly exclusions: readonly ExclusionConstraint[];
  readonly foreignKeys: readonly ForeignKey[];
  readonly checks: readonly { readonly name: string; readonly expression: string }[];
  readonly triggers: readonly UserTrigger[];
}

export interface CatalogColumn {
  readonly name: string;
  /** As format_type prints it, with modifier: `numeric(12,2)`, `public."InvoiceStatus"`. */
  readonly type: string;
  /** The type a domain stands on, else `type`. */
  readonly storageType: string;
  readonly typeOid: number;
  /** pg_type.typtype of the column's own type: b base, d domain, e enum, c composite, r range, m multirange. */
  readonly typeKind: string;
  /** Name of the base type's equality class: types whose `=` is the identity of the stored image. */
  readonly exactEquality: boolean;
  readonly notNull: boolean;
  readonly hasDefault: boolean;
  readonly identity: 'always' | 'by default' | undefined;
  readonly generated: boolean;
  /** Sequence behind an identity or serial column, quoted and qualified. */
  readonly sequence?: string;
}

export interface UniqueIndex {
  readonly name: string;
  /** Column names, or undefined when the index has an expression. */
  readonly columns: readonly string[] | undefined;
  /** Each indexed expression as SQL, unqualified. */
  readonly expressions: readonly string[];
  /** Columns that its keys, expressions and predicate read. */
  readonly dependsOn: readonly string[];
  readonly predicate?: string;
  readonly nullsNotDistinct: boolean;
  readonly deferrable: boolean;
  readonly primary: boolean;
}

export interface ExclusionConstraint {
  readonly name: string;
  readonly expressions: readonly string[];
  /** Columns that its expressions and predicate read. */
  readonly dependsOn: readonly string[];
  /** Operators as SQL, qualified: `OPERATOR(pg_catalog.&&)`. */
  readonly operators: readonly string[];
  readonly predicate?: string;
  readonly deferrable: boolean;
}

export interface ForeignKey {
  readonly name: string;
  readonly columns: readonly string[];
  readonly parent: { readonly schema: string; readonly name: string };
  readonly parentColumns: readonly string[];
  readonly match: 'simple' | 'full';
  readonly validated: boolean;
}

export interface PartitionKey extends ForeignKey {
  readonly partition: { readonly schema: string; readonly name: string };
}

/** Of the table or of one of its partitions. */
export interface UserTrigger {
  readonly name: string;
  /** pg_trigger.tgenabled: O fires normally, A always, R in replica role, D never. */
  readonly enabled: 'O' | 'A' | 'R' | 'D';
}

/** `schema.table`, the form that configuration, previews and reports use. */
export function tableName(table: { readonly schema: string; readonly name: string }): string {
  return `${table.schema}.${table.name}`;
}
