// Versions of header and library.

package marlin

// #include "native.h"
import "C"

// HeaderVersion is MARLIN_VERSION of the header that this package was compiled with: 10000 * major + 100 * minor +
// patch.
const HeaderVersion = C.MARLIN_VERSION

// Version returns MARLIN_VERSION of the library loaded.
func Version() int { return int(C.marlin_version()) }

// BuildInfo returns what the library says about its build: a JSON object with version, commit, cuda, architectures and
// cpu_kernels.
func BuildInfo() string { return C.GoString(C.marlin_build_info()) }
