package plugin

import (
	"fmt"
	"os"
	"os/user"
)

// ProcessEnvironment is the environment of this process, with what its release
// has linked into it: the version, such as v1.2.3, and the image by digest, each
// "" for a build by hand.
func ProcessEnvironment(version, image string) Environment {
	return Environment{Program: os.Args[0], LookupEnv: os.LookupEnv, Identity: identity(), Version: version, Image: image}
}

// identity names this process to others who want the same lease: who, where
// and which process.
func identity() string {
	who := "somebody"
	if current, err := user.Current(); err == nil && current.Username != "" {
		who = current.Username
	}
	where, err := os.Hostname()
	if err != nil {
		where = "somewhere"
	}
	return fmt.Sprintf("%s@%s/%d", who, where, os.Getpid())
}
