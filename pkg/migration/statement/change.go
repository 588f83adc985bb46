package statement

// Change is one thing that a statement does. An ALTER TABLE of several
// commands makes several.
type Change struct {
	At     Position
	Action Action
	// Branch is where the branch of code begins that the change stands in, zero
	// where it surely happens.
	Branch Position
}

// Conditional reports whether the change may not happen, or may be undone by
// the code that makes it.
func (c Change) Conditional() bool { return c.Branch != Position{} }

// Action is one of the types below.
type Action interface{ action() }

// Column is the definition of a column.
type Column struct {
	At   Position
	Name string
	Type Type
	// Collation is the one that it names, none for the type's own.
	Collation Name
	NotNull   bool
	// Default is nil where the column has none.
	Default Expression
	// Identity is GENERATED … AS IDENTITY.
	Identity bool
	// Generated is the expression of a generated column; Virtual (PostgreSQL
	// 18) tells that it is computed when read.
	Generated Expression
	Virtual   bool
	// Constraints are the column's own: checks, keys and references.
	Constraints []Constraint
}

// ConstraintKind is what a constraint demands.
type ConstraintKind string

// The kinds of constraints.
const (
	Check      ConstraintKind = "CHECK"
	NotNull    ConstraintKind = "NOT NULL"
	Unique     ConstraintKind = "UNIQUE"
	PrimaryKey ConstraintKind = "PRIMARY KEY"
	ForeignKey ConstraintKind = "FOREIGN KEY"
	Exclude    ConstraintKind = "EXCLUDE"
)

// Constraint is the definition of a constraint.
type Constraint struct {
	At   Position
	Name string
	Kind ConstraintKind
	// Columns are those that it constrains; of a CHECK they aren't known.
	Columns []string
	// Check is the condition of a CHECK.
	Check Expression
	// References is the other table of a foreign key, OnDelete what becomes
	// of a row whose parent is deleted: "" (refused), cascade, set null, set default.
	References Name
	OnDelete   string
	// UsingIndex is the index that a key is made from, "" where it builds one.
	UsingIndex string
	// NotValid rows that are there already are not looked at; NotEnforced
	// (PostgreSQL 18) none is.
	NotValid, NotEnforced bool
	NullsNotDistinct      bool
}

// The changes of tables.
type (
	// CreateTable is CREATE TABLE, also AS, OF and PARTITION OF.
	CreateTable struct {
		Table                  Name
		Columns                []Column
		Constraints            []Constraint
		Temporary, IfNotExists bool
		// PartitionOf and Inherits are the tables above it.
		PartitionOf Name
		Inherits    []Name
		// Borrows columns that are not listed, of a type or by LIKE.
		Borrows bool
		// Query is what it is filled from, nil for none.
		Query Expression
	}
	// AddColumn is ADD COLUMN.
	AddColumn struct {
		Table       Name
		Column      Column
		IfNotExists bool
	}
	// DropColumn is DROP COLUMN.
	DropColumn struct {
		Table  Name
		Column string
	}
	// AlterType is ALTER COLUMN TYPE.
	AlterType struct {
		Table  Name
		Column string
		Type   Type
		// Using is nil without USING.
		Using Expression
		// Collation is the one that it names, none for the type's own.
		Collation Name
	}
	// SetDefault is SET DEFAULT, or DROP DEFAULT where Default is nil.
	SetDefault struct {
		Table   Name
		Column  string
		Default Expression
	}
	// SetNotNull is SET NOT NULL.
	SetNotNull struct {
		Table  Name
		Column string
	}
	// DropNotNull is DROP NOT NULL.
	DropNotNull struct {
		Table  Name
		Column string
	}
	// AlterGenerated is a change of a column's identity or of its generation
	// expression. Rewrites are SET EXPRESSION of a stored column. Drops tells
	// that nothing fills the column any more, Always that nobody else may.
	AlterGenerated struct {
		Table    Name
		Column   string
		What     string
		Rewrites bool
		Drops    bool
		Always   bool
	}
	// AddConstraint is ADD CONSTRAINT.
	AddConstraint struct {
		Table      Name
		Constraint Constraint
	}
	// ValidateConstraint is VALIDATE CONSTRAINT.
	ValidateConstraint struct {
		Table      Name
		Constraint string
	}
	// DropConstraint is DROP CONSTRAINT.
	DropConstraint struct {
		Table      Name
		Constraint string
	}
	// AttachPartition is ATTACH PARTITION.
	AttachPartition struct{ Table, Partition Name }
	// DetachPartition is DETACH PARTITION.
	DetachPartition struct {
		Table, Partition Name
		Concurrently     bool
		Finalize         bool
	}
	// RowSecurity is ENABLE, DISABLE, FORCE and NO FORCE ROW LEVEL SECURITY.
	RowSecurity struct {
		Table  Name
		Strict bool // whether more is refused than before
	}
	// RewriteTable writes a table anew: SET LOGGED, SET TABLESPACE, VACUUM
	// FULL, CLUSTER and their like. Everything tells that no table is named.
	RewriteTable struct {
		Table      Name
		What       string
		Everything bool
	}
	// AlterTable is every other command of ALTER TABLE, with the lock that it takes.
	AlterTable struct {
		Table Name
		What  string
		Mode  LockMode
	}
	// Truncate is TRUNCATE of one table.
	Truncate struct {
		Table   Name
		Cascade bool
	}
	// Lock is LOCK TABLE of one table.
	Lock struct {
		Table  Name
		Mode   LockMode
		NoWait bool
	}
)

// The changes of other objects.
type (
	// Create makes an object that nothing that follows depends on: a type, a
	// domain, a sequence, a schema, an extension, a role. Values are those of
	// an enum.
	Create struct {
		Kind        string
		Name        Name
		Enum        bool
		IfNotExists bool
	}
	// Drop is DROP of one object of any kind.
	Drop struct {
		Kind string
		Name Name
		// Arguments are as those of an Object.
		Arguments *string
		// Table is the table of a trigger, rule or policy.
		Table        Name
		Cascade      bool
		Concurrently bool
		IfExists     bool
	}
	// Rename gives an object another name; of a column, constraint, attribute,
	// enum value, trigger, rule or policy, Part of Object gets it.
	Rename struct {
		Kind      string
		Object    Name
		Arguments *string
		Part      string
		To        string
	}
	// SetSchema moves an object to another schema.
	SetSchema struct {
		Kind      string
		Object    Name
		Arguments *string
		Schema    string
	}
	// CreateIndex is CREATE INDEX.
	CreateIndex struct {
		Name             Name
		Table            Name
		Columns          []string
		Unique           bool
		Concurrently     bool
		IfNotExists      bool
		NullsNotDistinct bool
		Partial          bool
		// Only: on a partitioned table, the partitions are left out.
		Only bool
	}
	// Reindex is REINDEX. Target is an index, a table, a schema or more.
	Reindex struct {
		Kind         string
		Target       Name
		Concurrently bool
	}
	// CreateView is CREATE VIEW and CREATE MATERIALIZED VIEW.
	CreateView struct {
		Name         Name
		Replace      bool
		IfNotExists  bool
		Materialized bool
		Temporary    bool
		Recursive    bool
		// Columns are the names that it gives its columns in front of the query.
		Columns []string
		Query   Expression
	}
	// RefreshView is REFRESH MATERIALIZED VIEW.
	RefreshView struct {
		Name         Name
		Concurrently bool
	}
	// CreateFunction is CREATE FUNCTION and CREATE PROCEDURE.
	CreateFunction struct {
		Kind    string
		Name    Name
		Replace bool
		// Arguments are the types that tell it from others of the name.
		Arguments string
		Code      Code
	}
	// CreateTrigger is CREATE TRIGGER.
	CreateTrigger struct {
		Name    string
		Table   Name
		Replace bool
	}
	// CreateRule is CREATE RULE.
	CreateRule struct {
		Name  string
		Table Name
	}
	// Policy is CREATE POLICY and ALTER POLICY.
	Policy struct {
		Name  string
		Table Name
		Alter bool
	}
	// Grant is GRANT; Revoke is REVOKE.
	Grant struct{}
	// Revoke is REVOKE; Text is what it takes away from whom. Objects are those
	// that it is about, none where that isn't known.
	Revoke struct {
		Text    string
		Objects []Object
	}
	// AddEnumValue is ALTER TYPE ADD VALUE.
	AddEnumValue struct {
		Type  Name
		Value string
	}
	// AlterComposite is a change of a composite type's attributes.
	AlterComposite struct {
		Type Name
		What string
	}
	// AlterDomain is ALTER DOMAIN. Constraint is what it adds, nil for none.
	AlterDomain struct {
		Domain     Name
		What       string
		Constraint *Constraint
		Validates  bool
		Relaxes    bool
	}
	// Alter changes what it is that an object does, or how: ALTER FUNCTION,
	// ALTER SEQUENCE, ALTER EXTENSION UPDATE, ALTER ROLE and their like.
	Alter struct {
		Kind      string
		Name      Name
		Arguments *string
		What      string
	}
)

// Object is an object that a statement names; of a schema, also all that is in it.
type Object struct {
	Kind string
	Name Name
	// Arguments tell a function from others of the name, nil where the name
	// alone does.
	Arguments *string
}

// Named is the function that it makes, told from others of the name.
func (c CreateFunction) Named() Object {
	return Object{Kind: c.Kind, Name: c.Name, Arguments: &c.Arguments}
}

// Named is the object that is dropped.
func (d Drop) Named() Object { return Object{Kind: d.Kind, Name: d.Name, Arguments: d.Arguments} }

// Named is the object that gets another name, or that a part of does.
func (r Rename) Named() Object { return Object{Kind: r.Kind, Name: r.Object, Arguments: r.Arguments} }

// Named is the object that moves.
func (m SetSchema) Named() Object {
	return Object{Kind: m.Kind, Name: m.Object, Arguments: m.Arguments}
}

// Named is the object that is changed.
func (a Alter) Named() Object { return Object{Kind: a.Kind, Name: a.Name, Arguments: a.Arguments} }

// What else a statement does.
type (
	// Transaction is BEGIN, COMMIT, ROLLBACK and their like.
	Transaction struct {
		Kind TransactionKind
		// Savepoint is the name of one that is made, let go or gone back to.
		Savepoint string
		// Chain tells that another one begins behind its end.
		Chain bool
	}
	// Set is SET, RESET and set_config. Value is "" where it goes back to
	// what it was; Everything tells that every setting does.
	Set struct {
		Local      bool
		Name       string
		Value      string
		Everything bool
	}
	// Do runs code at once.
	Do struct{ Code Code }
	// Data reads or writes rows. Table is what it writes to.
	Data struct {
		Verb  string
		Table Name
		// Where tells that it has a condition; Equals is the column where this is
		// "column = constant", in a statement that reads no other table.
		Where  bool
		Equals string
		// Nulls are the columns where the condition is that they are null, and
		// nothing else.
		Nulls []string
		// Calls are the functions and procedures that it calls; Surely tells
		// that nothing in it decides whether it does.
		Calls  []string
		Surely bool
		Query  Expression
	}
	// Execute runs a text that is put together while it runs, so that nobody
	// can read it before.
	Execute struct{ Text string }
	// Outside is a statement that PostgreSQL refuses inside a transaction,
	// without a change that matters here: VACUUM, ALTER SYSTEM.
	Outside struct {
		What string
	}
	// Harmless changes nothing that either version sees.
	Harmless struct{ What string }
)

// TransactionKind is what a statement does to the transaction.
type TransactionKind int

// The kinds.
const (
	Begin TransactionKind = iota
	Commit
	Rollback
	Savepoint
	Release    // of a savepoint
	RollbackTo // a savepoint
)

// Code is the body of a function or of DO.
type Code struct {
	Language string
	// Statements are the static SQL of the body, each with its own place in
	// the file.
	Statements []Statement
	// Opaque says why not all of it can be read, "" when all is.
	Opaque string
}

// LockMode is a mode of a table's lock, in the order of their strength.
type LockMode int

// The modes. Everything from Share on makes writers wait, AccessExclusive
// makes readers wait too.
const (
	NoLock LockMode = iota
	AccessShare
	RowShare
	RowExclusive
	ShareUpdateExclusive
	Share
	ShareRowExclusive
	Exclusive
	AccessExclusive
)

// String is the mode as SQL writes it.
func (m LockMode) String() string {
	return [...]string{
		"no lock", "ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE",
		"SHARE", "SHARE ROW EXCLUSIVE", "EXCLUSIVE", "ACCESS EXCLUSIVE",
	}[m]
}

func (CreateTable) action()        {}
func (AddColumn) action()          {}
func (DropColumn) action()         {}
func (AlterType) action()          {}
func (SetDefault) action()         {}
func (SetNotNull) action()         {}
func (DropNotNull) action()        {}
func (AlterGenerated) action()     {}
func (AddConstraint) action()      {}
func (ValidateConstraint) action() {}
func (DropConstraint) action()     {}
func (AttachPartition) action()    {}
func (DetachPartition) action()    {}
func (RowSecurity) action()        {}
func (RewriteTable) action()       {}
func (AlterTable) action()         {}
func (Truncate) action()           {}
func (Lock) action()               {}
func (Create) action()             {}
func (Drop) action()               {}
func (Rename) action()             {}
func (SetSchema) action()          {}
func (CreateIndex) action()        {}
func (Reindex) action()            {}
func (CreateView) action()         {}
func (RefreshView) action()        {}
func (CreateFunction) action()     {}
func (CreateTrigger) action()      {}
func (CreateRule) action()         {}
func (Policy) action()             {}
func (Grant) action()              {}
func (Revoke) action()             {}
func (AddEnumValue) action()       {}
func (AlterComposite) action()     {}
func (AlterDomain) action()        {}
func (Alter) action()              {}
func (Transaction) action()        {}
func (Set) action()                {}
func (Do) action()                 {}
func (Data) action()               {}
func (Execute) action()            {}
func (Outside) action()            {}
func (Harmless) action()           {}
