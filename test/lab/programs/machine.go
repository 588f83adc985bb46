package programs

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// elsewhere is what to do on a machine that can't run a lab.
const elsewhere = "use `make demo CLUSTER=current` for a cluster that you have"

// supported says in one sentence why this machine can't run a lab.
func supported() error {
	if _, err := exec.LookPath("apt-get"); err != nil {
		return errors.New("a lab needs Debian or Ubuntu with apt-get: use such a machine, or " + elsewhere)
	}
	// A machine that does not say what it is may be good enough.
	text, err := os.ReadFile("/etc/os-release")
	if err == nil {
		if err := recent(string(text)); err != nil {
			return err
		}
	}
	if os.Geteuid() != 0 {
		return errors.New("a lab needs root for its namespaces and containers: run it with sudo, or " + elsewhere)
	}
	return nil
}

// oldest are the first versions whose packages a lab can use: before them psql
// has no \getenv, which is PostgreSQL 15's, and in Debian's case Prometheus no
// http_sd_configs, which is 2.28's.
var oldest = map[string]string{"debian": "12", "ubuntu": "24.04"}

// recent refuses a Debian or Ubuntu that is too old, by the text of
// /etc/os-release, see os-release(5). One that has no version is still being
// made, and so the newest; what derives from either counts its versions its own
// way, and is taken.
func recent(text string) error {
	told := map[string]string{}
	for line := range strings.Lines(text) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), "=")
		told[name] = strings.Trim(value, `"'`)
	}
	wanted, known := oldest[told["ID"]]
	if version := told["VERSION_ID"]; known && version != "" && before(version, wanted) {
		return fmt.Errorf("a lab needs Debian 12 or Ubuntu 24.04, or a later one, and this is %s: use such a machine, or %s", told["PRETTY_NAME"], elsewhere)
	}
	return nil
}

// before compares versions such as 9 and 10, or 22.04 and 24.04.
func before(version, other string) bool {
	return slices.Compare(numbers(version), numbers(other)) < 0
}

// numbers are the parts of a version; what is no number counts as 0.
func numbers(version string) []int {
	var parts []int
	for part := range strings.SplitSeq(version, ".") {
		number, _ := strconv.Atoi(part)
		parts = append(parts, number)
	}
	return parts
}
