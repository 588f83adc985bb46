package plugin

import (
	"cmp"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/release"
	"github.com/bluegreen-dev/kubectl-bluegreen/pkg/report"
)

// The formats that are ours; every other one is a printer of kubectl's.
const (
	formatTable = "table"
	formatWide  = "wide"
	// formatYAML is kubectl's, and what manifests are written in.
	formatYAML = "yaml"
)

// output is the -o of one command.
type output struct {
	format string
	// reports are the formats that a command has beside kubectl's.
	reports []report.Format
}

// addFlag declares -o.
func (o *output) addFlag(cmd *cobra.Command) {
	known := []string{formatTable, formatWide, "json", "yaml"}
	for _, format := range o.reports {
		known = append(known, format.Name)
	}
	known = append(known, "name")
	cmd.Flags().StringVarP(&o.format, "output", "o", "", strings.Join(known, ", ")+", jsonpath=…, go-template=…, and kubectl's other formats")
	complete(cmd, "output", append(known, "jsonpath=")...)
}

// wide reports whether every column was asked for.
func (o *output) wide() bool { return o.format == formatWide }

// human reports whether people read the output, so that text around it helps.
func (o *output) human() bool {
	return o.format == "" || o.format == formatTable || o.format == formatWide
}

// validate refuses a format that does not exist, before any work is done.
func (o *output) validate() error {
	if o.human() || o.report() != nil {
		return nil
	}
	_, err := o.printer()
	return err
}

// report is the format of the command's own that was asked for, nil where it is
// another.
func (o *output) report() *report.Format {
	for index, format := range o.reports {
		if format.Name == o.format {
			return &o.reports[index]
		}
	}
	return nil
}

func (o *output) printer() (printers.ResourcePrinter, error) {
	flags := genericclioptions.NewPrintFlags("")
	flags.OutputFormat = &o.format
	printer, err := flags.ToPrinter()
	if !genericclioptions.IsNoCompatiblePrinterError(err) {
		return printer, err
	}
	allowed := append(flags.AllowedFormats(), formatTable, formatWide)
	for _, format := range o.reports {
		allowed = append(allowed, format.Name)
	}
	slices.Sort(allowed)
	return nil, release.WithHint(fmt.Errorf("unknown output format %q", o.format), "one of: "+strings.Join(allowed, ", "))
}

// object is a value on its way to a printer: what kind it is, what it is
// called, and, for a list, its items.
type object struct {
	// APIVersion is ours when it is empty.
	APIVersion string
	Kind       string
	Name       string
	Namespace  string
	// Value is marshalled as the body of the object. Its own apiVersion,
	// kind and metadata win over the fields above.
	Value any
	// Items makes the object a list.
	Items []object
}

// print writes a value in the format that was asked for; human writes it
// for people.
func (o *output) print(streams Streams, value object, human func() error) error {
	if o.human() {
		return human()
	}
	printer, err := o.printer()
	if err != nil {
		return err
	}
	converted, err := value.unstructured()
	if err != nil {
		return err
	}
	return printer.PrintObj(converted, streams.Out)
}

// unstructured turns the value into what kubectl's printers take, by way of
// its JSON, so that the names of the fields are the documented ones.
func (v object) unstructured() (runtime.Object, error) {
	if v.Items != nil {
		return v.list()
	}
	return v.single()
}

func (v object) list() (runtime.Object, error) {
	result := &unstructured.UnstructuredList{}
	result.SetAPIVersion(cmp.Or(v.APIVersion, release.APIVersion))
	result.SetKind(v.Kind)
	result.Items = []unstructured.Unstructured{}
	for _, item := range v.Items {
		converted, err := item.single()
		if err != nil {
			return nil, err
		}
		result.Items = append(result.Items, *converted)
	}
	return result, nil
}

func (v object) single() (*unstructured.Unstructured, error) {
	data, err := json.Marshal(v.Value)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", v.Kind, err)
	}
	body := map[string]any{}
	if err := utiljson.Unmarshal(data, &body); err != nil {
		return nil, fmt.Errorf("encode %s: %w", v.Kind, err)
	}
	result := &unstructured.Unstructured{Object: body}
	if result.GetAPIVersion() == "" {
		result.SetAPIVersion(cmp.Or(v.APIVersion, release.APIVersion))
	}
	if result.GetKind() == "" {
		result.SetKind(v.Kind)
	}
	if result.GetName() == "" {
		result.SetName(v.Name)
	}
	if result.GetNamespace() == "" && v.Namespace != "" {
		result.SetNamespace(v.Namespace)
	}
	return result, nil
}

// column describes one column of a table; wide columns are shown by -o wide.
func column(name string, wide bool) metav1.TableColumnDefinition {
	definition := metav1.TableColumnDefinition{Name: name, Type: "string"}
	if wide {
		definition.Priority = 1
	}
	return definition
}

// printTable writes rows under headings, as kubectl get does.
func (o *output) printTable(streams Streams, columns []metav1.TableColumnDefinition, rows [][]any) error {
	table := &metav1.Table{ColumnDefinitions: columns}
	for _, cells := range rows {
		table.Rows = append(table.Rows, metav1.TableRow{Cells: cells})
	}
	return printers.NewTablePrinter(printers.PrintOptions{Wide: o.wide()}).PrintObj(table, streams.Out)
}
