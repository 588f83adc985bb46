package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
)

// poolerFile is the name of PgBouncer's configuration, as a key of a ConfigMap
// and as a file.
const poolerFile = "pgbouncer.ini"

// AnyPoolerDatabase is the entry * that hands every name through.
func AnyPoolerDatabase() PoolerDatabase {
	return PoolerDatabase{Name: "*", PoolSize: unset, Reserve: unset, MaxConnections: unset}
}

// PoolerOf reads the configuration of a PgBouncer from its pod template: the
// pgbouncer.ini of a ConfigMap that it mounts, else the variables by which the
// common images (edoburu/pgbouncer, bitnami/pgbouncer and those made like them)
// write one.
func PoolerOf(ctx context.Context, input PoolInput) (PoolerConfig, error) {
	for _, name := range mountedConfigMaps(input.Template.Spec) {
		if input.Lookup == nil {
			return PoolerConfig{}, fmt.Errorf("configmap/%s was not read", name)
		}
		data, err := input.Lookup(ctx, "configmap", name)
		if err != nil {
			return PoolerConfig{}, fmt.Errorf("read configmap/%s: %w", name, err)
		}
		text, found := data[poolerFile]
		if !found {
			continue
		}
		config, err := ParsePgBouncer(text)
		if err != nil {
			return PoolerConfig{}, fmt.Errorf("configmap/%s: %w", name, err)
		}
		config.Where = "configmap/" + name + " " + poolerFile
		return config, nil
	}
	return poolerOfVariables(ctx, input)
}

func mountedConfigMaps(spec corev1.PodSpec) []string {
	var names []string
	for _, volume := range spec.Volumes {
		if volume.ConfigMap != nil {
			names = append(names, volume.ConfigMap.Name)
		}
		if volume.Projected == nil {
			continue
		}
		for _, source := range volume.Projected.Sources {
			if source.ConfigMap != nil {
				names = append(names, source.ConfigMap.Name)
			}
		}
	}
	return names
}

func poolerOfVariables(ctx context.Context, input PoolInput) (PoolerConfig, error) {
	input.Template.Spec.Containers = pgbouncers(input.Template.Spec.Containers)
	if len(input.Template.Spec.Containers) != 1 {
		return PoolerConfig{}, errors.New("no ConfigMap that it mounts has a pgbouncer.ini, and no container has an image of PgBouncer's: declare pooler.admin")
	}
	config := NewPoolerConfig()
	config.Where = input.Workload + " env"
	environment := readEnvironment(ctx, input)
	for _, variable := range environment.variables {
		name := strings.TrimPrefix(variable.name, "PGBOUNCER_")
		if err := config.Set(name, variable.value); err != nil {
			return PoolerConfig{}, fmt.Errorf("%s: %w", variable.name, err)
		}
	}
	if len(environment.unread) > 0 {
		return PoolerConfig{}, errors.New(strings.Join(environment.unread, "; "))
	}
	entry := AnyPoolerDatabase()
	if name, found := environment.get("PGBOUNCER_DATABASE"); found {
		entry.Name = name.value
		target, _ := environment.get("POSTGRESQL_DATABASE")
		entry.Target = target.value
	} else if name, found := environment.get("DB_NAME"); found {
		entry.Name = name.value
	}
	config.Databases = []PoolerDatabase{entry}
	config.Setting = &Setting{Workload: input.Workload, Container: input.Template.Spec.Containers[0].Name, Variable: "DEFAULT_POOL_SIZE"}
	for _, name := range []string{"DEFAULT_POOL_SIZE", "PGBOUNCER_DEFAULT_POOL_SIZE"} {
		if variable, found := environment.get(name); found {
			config.Setting = variable.setting(input.Workload)
		}
	}
	return config, nil
}

// pgbouncers are the containers that run PgBouncer, by their images; those of a
// connection string's Secrets are of no interest.
func pgbouncers(containers []corev1.Container) []corev1.Container {
	var found []corev1.Container
	for _, container := range containers {
		if !strings.Contains(container.Image, "pgbouncer") || strings.Contains(container.Image, "exporter") {
			continue
		}
		var env []corev1.EnvVar
		for _, variable := range container.Env {
			if variable.ValueFrom == nil || variable.ValueFrom.SecretKeyRef == nil {
				env = append(env, variable)
			}
		}
		container.Env = env
		found = append(found, container)
	}
	return found
}

// Target is the database in PostgreSQL behind a name that clients ask for, ""
// where the pooler has no entry for it.
func (p *Pooler) Target(name string) string {
	entry, _ := p.Config.entry(name)
	return entry.Target
}
