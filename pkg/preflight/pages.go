package preflight

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// objectsPerPage bounds one answer of the API server; 500 is kubectl's own.
const objectsPerPage = 500

// everyPage lists all objects of a kind, page by page. next is where the next page
// begins, "" after the last.
func everyPage[T any](list func(metav1.ListOptions) (items []T, next string, err error)) ([]T, error) {
	var found []T
	options := metav1.ListOptions{Limit: objectsPerPage}
	for {
		items, next, err := list(options)
		if err != nil {
			return nil, err
		}
		found = append(found, items...)
		if options.Continue = next; next == "" {
			return found, nil
		}
	}
}
