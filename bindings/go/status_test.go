// Tests of statuses and errors.

package marlin_test

import (
	"errors"
	"testing"

	"libmarlin/marlin"
)

func TestErrorsUnwrapToTheirStatus(t *testing.T) {
	_, err := marlin.NewHandle(marlin.HandleDesc{Device: 7})
	if !errors.Is(err, marlin.InvalidArgument) || errors.Is(err, marlin.NotSupported) {
		t.Errorf("got %v, expected InvalidArgument alone", err)
	}
	var failed *marlin.Error
	if !errors.As(err, &failed) {
		t.Fatalf("got a %T, expected *marlin.Error", err)
	}
	const want = "desc.device is 7, expected 0 to 2"
	if failed.Status != marlin.InvalidArgument || failed.Text != want || err.Error() != want {
		t.Errorf("got %v %q, expected %q", failed.Status, failed.Text, want)
	}
	var status marlin.Status
	if !errors.As(err, &status) || status != marlin.InvalidArgument {
		t.Errorf("got status %v, expected InvalidArgument", status)
	}
}

func TestEveryStatusHasItsNameAndSentence(t *testing.T) {
	for status, name := range map[marlin.Status]string{
		marlin.Success:           "MARLIN_SUCCESS",
		marlin.InvalidArgument:   "MARLIN_INVALID_ARGUMENT",
		marlin.NotSupported:      "MARLIN_NOT_SUPPORTED",
		marlin.OutOfMemory:       "MARLIN_OUT_OF_MEMORY",
		marlin.WorkspaceTooSmall: "MARLIN_WORKSPACE_TOO_SMALL",
		marlin.BadPackedData:     "MARLIN_BAD_PACKED_DATA",
		marlin.NotSparse:         "MARLIN_NOT_SPARSE",
		marlin.DeviceError:       "MARLIN_DEVICE_ERROR",
		marlin.InternalError:     "MARLIN_INTERNAL_ERROR",
	} {
		if status.String() != name || len(status.Error()) < 5 || status.Error() == name {
			t.Errorf("got %q, %q, expected %q and a sentence", status.String(), status.Error(), name)
		}
	}
}
