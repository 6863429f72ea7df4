// Tests of what the package exports.

package marlin_test

import (
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"libmarlin/marlin"
)

// The version is written once, at the top of the repository.
func TestVersions(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(repository, "CMakeLists.txt"))
	if err != nil {
		t.Fatal(err)
	}
	match := regexp.MustCompile(`project\(marlin VERSION (\d+)\.(\d+)\.(\d+)`).FindStringSubmatch(string(text))
	if match == nil {
		t.Fatal("CMakeLists.txt names no version")
	}
	want := 0
	for _, part := range match[1:] {
		number, err := strconv.Atoi(part)
		if err != nil {
			t.Fatal(err)
		}
		want = want*100 + number
	}
	if marlin.HeaderVersion != want || marlin.Version() != want {
		t.Errorf("header %d, library %d, expected %d", marlin.HeaderVersion, marlin.Version(), want)
	}
	var build struct{ Version string }
	if err := json.Unmarshal([]byte(marlin.BuildInfo()), &build); err != nil {
		t.Fatal(err)
	}
	if build.Version != strings.Join(match[1:], ".") {
		t.Errorf("build info says %s, expected %s", build.Version, strings.Join(match[1:], "."))
	}
}

func TestNamesOfEnumerators(t *testing.T) {
	for value, want := range map[fmt.Stringer]string{
		marlin.CPU: "cpu", marlin.DeviceDefault: "default", marlin.CUDA: "cuda", marlin.Device(-1): "Device(-1)",
		marlin.TypeNone: "none", marlin.BF16: "bf16", marlin.U8: "u8", marlin.Type(11): "Type(11)",
		marlin.LayoutDefault: "default", marlin.LayoutDense: "dense",
		marlin.LayoutCPUSparse24Draft: "cpu_sparse24_draft",
		marlin.SourcePlain:            "plain", marlin.SourceAWQ: "awq", marlin.SourceMarlin24: "marlin_24",
	} {
		if value.String() != want {
			t.Errorf("got %s, expected %s", value, want)
		}
	}
}

// Nothing exported has a type of C in it, and everything exported is documented.
func TestNoExportedTypeIsOfC(t *testing.T) {
	ours := func(info fs.FileInfo) bool { return !strings.HasSuffix(info.Name(), "_test.go") }
	packages, err := parser.ParseDir(token.NewFileSet(), ".", ours, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	exported := 0
	for _, file := range packages["marlin"].Files {
		for _, declaration := range file.Decls {
			switch declaration := declaration.(type) {
			case *ast.FuncDecl:
				if !declaration.Name.IsExported() {
					continue
				}
				exported++
				expectGo(t, declaration.Name.Name, declaration.Type)
				if declaration.Doc == nil {
					t.Errorf("%s has no comment", declaration.Name.Name)
				}
			case *ast.GenDecl:
				for _, spec := range declaration.Specs {
					if expectSpec(t, declaration, spec) {
						exported++
					}
				}
			}
		}
	}
	if exported < 50 {
		t.Errorf("only %d exported declarations were found", exported)
	}
}

// expectSpec looks at a type or at the types of values, and says whether any is exported.
func expectSpec(t *testing.T, declaration *ast.GenDecl, spec ast.Spec) bool {
	switch spec := spec.(type) {
	case *ast.TypeSpec:
		if !spec.Name.IsExported() {
			return false
		}
		if declaration.Doc == nil && spec.Doc == nil {
			t.Errorf("%s has no comment", spec.Name.Name)
		}
		if fields, ok := spec.Type.(*ast.StructType); ok {
			for _, field := range fields.Fields.List {
				if len(field.Names) == 0 || field.Names[0].IsExported() {
					expectGo(t, spec.Name.Name, field.Type)
				}
			}
			return true
		}
		expectGo(t, spec.Name.Name, spec.Type)
		return true
	case *ast.ValueSpec:
		if !spec.Names[0].IsExported() {
			return false
		}
		if spec.Type != nil {
			expectGo(t, spec.Names[0].Name, spec.Type)
		}
		return true
	}
	return false
}

func expectGo(t *testing.T, name string, node ast.Node) {
	ast.Inspect(node, func(node ast.Node) bool {
		selector, ok := node.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if from, ok := selector.X.(*ast.Ident); ok && from.Name == "C" {
			t.Errorf("%s has C.%s in its type", name, selector.Sel.Name)
		}
		return true
	})
}
