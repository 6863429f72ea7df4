// Memory for packed bytes, outside of Go's heap and page-aligned: the C side keeps a pointer to them.

package marlin

import (
	"os"
	"syscall"
)

// allocate returns zeroed memory, backed by huge pages where the system gives them.
func allocate(size int) ([]byte, error) {
	if size < 1 {
		size = 1
	}
	memory, err := syscall.Mmap(-1, 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_PRIVATE|syscall.MAP_ANON)
	if err != nil {
		return nil, &Error{OutOfMemory, "packed weights: " + os.NewSyscallError("mmap", err).Error()}
	}
	_ = syscall.Madvise(memory, syscall.MADV_HUGEPAGE) // a kernel without them works as well
	return memory, nil
}

// mapFile maps a whole file for reading.
func mapFile(path string) ([]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.Size() == 0 {
		return nil, &Error{BadPackedData, path + " has 0 bytes, expected packed weights"}
	}
	memory, err := syscall.Mmap(int(file.Fd()), 0, int(info.Size()), syscall.PROT_READ, syscall.MAP_PRIVATE)
	if err != nil {
		return nil, &os.PathError{Op: "mmap", Path: path, Err: err}
	}
	return memory, nil
}

func unmap(memory []byte) {
	if memory != nil {
		_ = syscall.Munmap(memory) // fails only for memory that is none of ours
	}
}
