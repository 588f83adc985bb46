package dialect

import (
	"fmt"
	"path"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// After marks as Named those migrations alone that come behind the last one of a
// name: what the live version knows is up to it. In a dialect whose files are all
// called alike, the name is the folder's.
func After(last string, migrations []Migration) error {
	found := -1
	for i, migration := range migrations {
		if path.Base(migration.Path) == last || path.Base(path.Dir(migration.Path)) == last && migration.Dialect == Prisma {
			found = i
		}
	}
	if found < 0 {
		return release.WithHint(fmt.Errorf("find migration %q: none of the files is called so", last), "name the last one that the live version knows, as its file is called")
	}
	for i := range migrations {
		migrations[i].Named = i > found
	}
	return nil
}
