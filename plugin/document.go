package plugin

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/cluster"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/journal"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
)

// defaultFile is the document that is used without -f.
const defaultFile = "bluegreen.yaml"

// document is the Release that a command works with.
type document struct {
	Release *release.Release
	// Loaded is the document as it was parsed.
	Loaded *release.Loaded
	// Text is the YAML, kept with a run.
	Text []byte
	// File is the file that it was read from, "" where it came from elsewhere.
	File string
	// Directory is what the paths in the document are relative to.
	Directory string
	// Origin says where the document came from, for people.
	Origin string
	// Discovery is what was found and guessed when there is no document.
	Discovery *release.Discovery

	// own are the checks that it declares, nil where nobody has asked: see
	// checks.
	own *ownChecks
}

// manifests are the files of each colour's manifests.
func (d *document) manifests() map[string][]string {
	files := map[string][]string{}
	for _, color := range d.Release.Spec.ColorNames() {
		files[color] = d.Loaded.Manifests(color)
	}
	return files
}

// positions are those of the fields in the file of the document, nil where it
// is none.
func (d *document) positions() release.Positions {
	if d.File == "" {
		return nil
	}
	return d.Loaded.Positions()
}

// document finds the Release: -f, else ./bluegreen.yaml, else the copy that
// the last run left in the cluster, else discovery from a Service. service
// is the name in svc/NAME, "" when the argument was left out.
func (i *invocation) document(ctx context.Context, service string) (*document, error) {
	found, err := i.fileDocument(service)
	if found != nil || err != nil {
		return found, err
	}
	client, err := i.client()
	if err != nil {
		return nil, err
	}
	return i.clusterDocument(ctx, client, service)
}

// documentAlone is document for a command that needs nothing else: whoever has
// no file and can't ask a cluster is told that a file is enough.
func (i *invocation) documentAlone(ctx context.Context, service string) (*document, error) {
	found, err := i.fileDocument(service)
	if found != nil || err != nil {
		return found, err
	}
	found, err = i.document(ctx, service)
	if hint := release.HintOf(err); !strings.Contains(hint, "-f") {
		err = release.WithHint(err, fmt.Sprintf("there is no ./%s: name the Release with -f FILE; or, to find it in a cluster, %s", defaultFile, hint))
	}
	return found, err
}

// clusterDocument finds the Release by what is in the cluster alone.
func (i *invocation) clusterDocument(ctx context.Context, client *cluster.Client, service string) (*document, error) {
	found, err := i.journalDocument(ctx, client, service)
	if found != nil || err != nil {
		return found, err
	}
	return i.discoveredDocument(ctx, client, service, "")
}

// fileDocument reads -f or ./bluegreen.yaml, the checks that it declares too; nil
// when there is neither.
func (i *invocation) fileDocument(service string) (*document, error) {
	return i.fileLoadedBy(service, i.load)
}

// fileOfRun is fileDocument for what is about a run that has begun. It does not
// look at checks of a team's own: a slip in one must not be in the way of going
// back.
func (i *invocation) fileOfRun(service string) (*document, error) {
	return i.fileLoadedBy(service, func(path string) (*release.Loaded, *ownChecks, error) {
		loaded, err := i.read(path)
		if err != nil {
			return nil, nil, err
		}
		if problems := knownRules(loaded); len(problems) > 0 {
			return nil, nil, problems
		}
		return loaded, nil, nil
	})
}

func (i *invocation) fileLoadedBy(service string, load func(path string) (*release.Loaded, *ownChecks, error)) (*document, error) {
	i.service = service
	path := i.file
	if path == "" {
		path = defaultFile
	}
	loaded, own, err := load(path)
	if errors.Is(err, fs.ErrNotExist) && i.file == "" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	found, err := i.settle(loaded, path)
	if err != nil {
		return nil, err
	}
	found.Directory, found.own = filepath.Dir(path), own
	if path != "-" {
		found.File = path
	}
	if path == "-" && found.Release.Spec.Traffic.Service != nil {
		i.piped = found.Release
	}
	routes := found.Release.Spec.Traffic.Services()
	if service != "" && len(routes) > 0 && !slices.Contains(routes, service) {
		return nil, release.WithHint(
			fmt.Errorf("%s moves svc/%s, not svc/%s", path, strings.Join(routes, " and svc/"), service),
			"leave svc/"+service+" out, or name its document with -f")
	}
	return found, nil
}

// load reads and validates a file, or stdin for "-".
func (i *invocation) load(path string) (*release.Loaded, *ownChecks, error) {
	loaded, err := i.read(path)
	if err != nil {
		return nil, nil, err
	}
	own, err := checksOf(loaded)
	if err != nil {
		return nil, nil, err
	}
	return loaded, own, known(loaded, own)
}

func (i *invocation) read(path string) (*release.Loaded, error) {
	if path != "-" {
		return release.Load(path)
	}
	text, err := readAll(i.streams.In)
	if err != nil {
		return nil, fmt.Errorf("read stdin: %w", err)
	}
	return release.Parse(path, text)
}

// parse validates a document that was found in a namespace, and settles its
// own. The copy of a run names rules that were known when it began.
func (i *invocation) parse(name string, text []byte, origin, namespace string) (*document, error) {
	loaded, err := release.Parse(name, text)
	if err != nil {
		return nil, err
	}
	if metadata := &loaded.Release.Metadata; metadata.Namespace == "" {
		metadata.Namespace = namespace
	}
	return i.settle(loaded, origin)
}

// settle gives a document its namespace.
func (i *invocation) settle(loaded *release.Loaded, origin string) (*document, error) {
	namespace, explicit, err := i.namespace()
	if err != nil {
		return nil, err
	}
	metadata := &loaded.Release.Metadata
	if explicit && metadata.Namespace != "" && metadata.Namespace != namespace {
		return nil, release.WithHint(
			fmt.Errorf("%s is about namespace %s, but -n says %s", origin, metadata.Namespace, namespace),
			"leave -n out")
	}
	if metadata.Namespace == "" {
		metadata.Namespace = namespace
	}
	return &document{Release: loaded.Release, Loaded: loaded, Text: loaded.Text, Directory: ".", Origin: origin}, nil
}

// journalDocument reads the copy that the last run of the release left in the
// cluster, the only one of the namespace or the one that moves a Service; nil
// when no release left one.
func (i *invocation) journalDocument(ctx context.Context, client *cluster.Client, service string) (*document, error) {
	names, err := i.releasesKnown(ctx, client, service)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	if len(names) > 1 {
		return nil, release.WithHint(
			fmt.Errorf("namespace %s holds several releases: %s", client.Namespace, strings.Join(names, ", ")),
			"say which: name its production Service as svc/NAME, or its document with -f")
	}
	return i.recordedDocument(ctx, client, names[0], service)
}

// recordedDocument reads the copy that the last run of one release left in the
// cluster, nil when it left none. A record that can't be read is told, and
// keeps nobody from going back: the copy of the run before it is as good, and
// so are the live objects. What would begin or go on with a run is refused by
// the record itself.
func (i *invocation) recordedDocument(ctx context.Context, client *cluster.Client, releaseName, service string) (*document, error) {
	run, err := lastCopy(ctx, i.journal(client, client.Namespace, releaseName))
	var unreadable *journal.RecordError
	switch {
	case errors.As(err, &unreadable):
		i.note("%s %v; going by what can be read", i.streams.err.doubtful(), unreadable)
	case err != nil:
		return nil, cluster.Explain(err)
	}
	if run != nil && len(run.Document) > 0 {
		found, err := i.parse("run/"+run.ID, run.Document, "the copy that run "+run.ID+" left in the cluster", client.Namespace)
		if problems := (release.Problems)(nil); errors.As(err, &problems) {
			return nil, &copyError{Problems: problems, release: releaseName}
		}
		return found, err
	}
	if unreadable != nil {
		return i.documentWithoutRecord(ctx, client, releaseName, service)
	}
	return nil, nil
}

// copyError is about the copy of a run that can be read but not used, such as
// one of another version of this program.
type copyError struct {
	release.Problems
	// release is the name of the release that the run was of.
	release string
}

// Unwrap gives the mistakes to errors.As.
func (e *copyError) Unwrap() error { return e.Problems }

// documentWithoutRecord stands in for the copy in a record that can't be read
// and that no past run has either: what the live objects tell, under the name
// of the release, whose lease and record a rollback takes over.
func (i *invocation) documentWithoutRecord(ctx context.Context, client *cluster.Client, releaseName, service string) (*document, error) {
	if service == "" {
		var err error
		if service, err = stampedService(ctx, client); err != nil {
			return nil, err
		}
	}
	return i.discoveredDocument(ctx, client, service, releaseName)
}

// stampedService is the one Service of the namespace that a run has moved.
func stampedService(ctx context.Context, client *cluster.Client) (string, error) {
	services, err := client.Kubernetes.CoreV1().Services(client.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return "", cluster.Explain(err)
	}
	var names []string
	for _, service := range services.Items {
		if stamped(&service) {
			names = append(names, service.Name)
		}
	}
	if len(names) != 1 {
		return "", release.WithHint(
			fmt.Errorf("no Release: there is no ./%s, the record of the last run can't be read, and %d Services of namespace %s were moved by a run", defaultFile, len(names), client.Namespace),
			"name the production Service as svc/NAME, or its document with -f")
	}
	return names[0], nil
}

// stamped reports whether a run has written to an object.
func stamped(object metav1.Object) bool {
	_, found := object.GetAnnotations()[cluster.AnnotationEpoch]
	return found
}

// releasesKnown are the releases that left something in the namespace, or
// those of them that move a Service.
func (i *invocation) releasesKnown(ctx context.Context, client *cluster.Client, service string) ([]string, error) {
	if service != "" {
		return i.releasesMoving(ctx, client, service)
	}
	names, err := releasesIn(ctx, client)
	return names, cluster.Explain(err)
}

// releasesIn are the releases that left a lease in the namespace.
func releasesIn(ctx context.Context, client *cluster.Client) ([]string, error) {
	leases, err := client.Kubernetes.CoordinationV1().Leases(client.Namespace).List(ctx, metav1.ListOptions{LabelSelector: cluster.LabelRelease})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, lease := range leases.Items {
		names = append(names, lease.Labels[cluster.LabelRelease])
	}
	slices.Sort(names)
	return names, nil
}

// releasesMoving are the releases that move a Service. A record that can't be
// read is told, for its release may be the one; it is, where a run has moved
// the Service and no other release can have done that.
func (i *invocation) releasesMoving(ctx context.Context, client *cluster.Client, service string) ([]string, error) {
	object, err := client.Kubernetes.CoreV1().Services(client.Namespace).Get(ctx, service, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, release.WithHint(fmt.Errorf("no Service %s in namespace %s", service, client.Namespace), "kubectl -n "+client.Namespace+" get services")
	}
	if err != nil {
		return nil, cluster.Explain(err)
	}
	if known := object.Labels[cluster.LabelRelease]; known != "" {
		return []string{known}, nil
	}
	candidates, err := releasesIn(ctx, client)
	if apierrors.IsForbidden(err) {
		i.note("%s going by svc/%s itself: %v", i.streams.err.doubtful(), service, cluster.Explain(err))
		return nil, nil
	}
	if err != nil {
		return nil, cluster.Explain(err)
	}
	var names, unknown []string
	for _, candidate := range candidates {
		moved, err := i.moves(ctx, client, candidate, service)
		switch {
		case moved:
			names = append(names, candidate)
		case err != nil:
			i.note("%s whether release %s moves svc/%s can't be told: %v", i.streams.err.doubtful(), candidate, service, cluster.Explain(err))
			unknown = append(unknown, candidate)
		}
	}
	if len(names) == 0 && len(unknown) == 1 && stamped(object) {
		return unknown, nil
	}
	return names, nil
}

// moves reports whether the last run of a release moved a Service, by the
// copy of the document that it left, or that the newest run left which can be
// read. A release is named by its document, and not always after its Service:
// another name would be another lease.
func (i *invocation) moves(ctx context.Context, client *cluster.Client, releaseName, service string) (bool, error) {
	run, err := lastCopy(ctx, i.journal(client, client.Namespace, releaseName))
	if run == nil || len(run.Document) == 0 {
		return false, err
	}
	loaded, err := release.Parse("run/"+run.ID, run.Document)
	if err != nil {
		return false, err
	}
	return slices.Contains(loaded.Release.Spec.Traffic.Services(), service), nil
}

// discoveredDocument makes a Release out of what is in the cluster, called
// releaseName where that is known.
func (i *invocation) discoveredDocument(ctx context.Context, client *cluster.Client, service, releaseName string) (*document, error) {
	if service == "" {
		return nil, release.WithHint(
			fmt.Errorf("no Release: there is no ./%s, and no run left one in namespace %s", defaultFile, client.Namespace),
			"name the production Service: "+name+" init svc/NAME")
	}
	discovery, err := release.Discover(ctx, client.Kubernetes, client.Namespace, service)
	if err != nil {
		return nil, cluster.Explain(err)
	}
	if other := discovery.Production; other != "" {
		return nil, release.WithHint(
			fmt.Errorf("discover the colours behind service %s: it is called after one colour, and service %s leads to a colour too: clients that come in by that one would not be moved", service, other),
			"name that one: svc/"+other+"; or say in a "+defaultFile+" which is which")
	}
	if releaseName != "" {
		discovery.Release.Metadata.Name = releaseName
		discovery.Guesses = slices.DeleteFunc(discovery.Guesses, func(guess release.Guess) bool { return guess.Field == "metadata.name" })
	}
	text, err := release.Marshal(discovery.Release, discovery.Guesses)
	if err != nil {
		return nil, fmt.Errorf("write down what svc/%s was found to be: %w", service, err)
	}
	found, err := i.parse("svc/"+service, text, "what was discovered from svc/"+service, client.Namespace)
	if err != nil {
		return nil, err
	}
	found.Discovery = discovery
	return found, nil
}

// journal opens the record of one release.
func (i *invocation) journal(client *cluster.Client, namespace, releaseName string) *journal.Journal {
	return journal.New(client.Kubernetes, namespace, releaseName, i.environment.Clock)
}
