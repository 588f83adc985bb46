package migration

// Catalogue is every rule, a line each, by class. Adding a rule means adding one
// file and one line here.
func Catalogue() []Rule {
	return []Rule{
		dropTable(),
		dropColumn(),
		dropObject(),
		truncate(),
		renameTable(),
		renameColumn(),
		renameObject(),
		changeType(),
		requiredColumn(),
		setNotNull(),
		addConstraint(),
		changeDefault(),
		jsonColumn(),
		restrictAccess(),
		preparedPlan(),
		queryBreaks(),

		widenType(),
		dropNotNull(),
		dropConstraint(),
		enumValue(),
		newReference(),
		missingDown(),

		rewriteTable(),
		scanTable(),
		buildKey(),
		indexBlocks(),
		detachBlocks(),
		concurrentInTransaction(),
		brokenIndex(),
		enumInTransaction(),
		lockTable(),
		lockTimeout(),
		lockHeld(),
		severalLocks(),
		nestedTransaction(),
		refusedByServer(),

		newTrigger(),
		newDefault(),
		replaceCode(),
		opaqueCode(),
		backfill(),
		invalidIndex(),
		alterObject(),
		unread(),
		queryUntried(),
	}
}
