// The documentation's snippets.

package marlin_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// The snippets of the documentation are parts of the examples here, which are run. The program at its top, which stands
// for itself, is run by check.sh.
func TestSnippetsOfThePage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join(repository, "docs", "go.md"))
	if err != nil {
		t.Fatal(err)
	}
	examples, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	blocks := strings.Split(string(page), "```go\n")[1:]
	if len(blocks) < 3 {
		t.Fatalf("the page has %d snippets, expected a program and more", len(blocks))
	}
	for _, block := range blocks {
		snippet, _, ended := strings.Cut(block, "```")
		if !ended {
			t.Fatalf("a snippet does not end: %s", block)
		}
		if !strings.HasPrefix(snippet, "package main") && !strings.Contains(string(examples), snippet) {
			t.Errorf("no example has this snippet:\n%s", snippet)
		}
	}
}
