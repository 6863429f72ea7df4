// The log of the process, received by a Go function.

package marlin

// #include "native.h"
import "C"

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
)

// LogLevel is how much the library says.
type LogLevel int32

const (
	LogOff     LogLevel = C.MARLIN_LOG_OFF
	LogError   LogLevel = C.MARLIN_LOG_ERROR   // the text of every failed call
	LogWarning LogLevel = C.MARLIN_LOG_WARNING // and what works, but slower than it could
	LogCalls   LogLevel = C.MARLIN_LOG_CALLS   // and one line for each multiply
)

// String returns "off", "error", "warning" or "calls", as the environment variable MARLIN_LOG has them.
func (l LogLevel) String() string {
	return enumerator("LogLevel", int32(l), []string{"off", "error", "warning", "calls"})
}

var (
	logMutex    sync.Mutex
	logReceiver atomic.Pointer[func(LogLevel, string)]
)

// SetLog sets the level and the receiver of the whole process; nil is standard error.
//
// The goroutine that made a call also calls the receiver, before the call returns; several may do so at once. The
// receiver must not use the handle or the weights of that call: it would wait for itself. One that panics loses its
// message, which goes to standard error with the panic's value.
func SetLog(level LogLevel, receiver func(level LogLevel, message string)) {
	logMutex.Lock()
	defer logMutex.Unlock()
	if receiver == nil {
		C.go_marlin_set_log(0, C.int32_t(level))
		logReceiver.Store(nil)
		return
	}
	logReceiver.Store(&receiver)
	C.go_marlin_set_log(1, C.int32_t(level))
}

//export goMarlinLog
func goMarlinLog(level C.int32_t, message *C.char) {
	receiver := logReceiver.Load()
	if receiver == nil { // taken away meanwhile
		return
	}
	text := C.GoString(message)
	// A panic would unwind past the library's own frames and leave its handle locked.
	defer func() {
		if value := recover(); value != nil {
			fmt.Fprintf(os.Stderr, "libmarlin: the log receiver panicked (%v) on: %s\n", value, text)
		}
	}()
	(*receiver)(LogLevel(level), text)
}
