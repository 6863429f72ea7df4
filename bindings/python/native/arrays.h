/* Arrays of other libraries as plain numbers: the buffer protocol and DLPack, in the Limited API of CPython 3.11.
 *
 * A description is the tuple (address, kind, shape, strides, device_type, device_id, read_only, owner): kind is
 * 256 * DLPack type code + bits, strides count elements, owner keeps the memory alive as long as it is referenced. */
#ifndef LIBMARLIN_ARRAYS_H
#define LIBMARLIN_ARRAYS_H

#include <Python.h>
#include <stdint.h>

/* The DLPack ABI, as dlpack.h of github.com/dmlc/dlpack (Apache-2.0) lays it out; names are ours. */
typedef struct dl_tensor {
    void *data;
    int32_t device_type;
    int32_t device_id;
    int32_t ndim;
    uint8_t code;
    uint8_t bits;
    uint16_t lanes;
    int64_t *shape;
    int64_t *strides; /* in elements; NULL: compact */
    uint64_t byte_offset;
} dl_tensor;

typedef struct dl_versioned {
    uint32_t major;
    uint32_t minor;
    void *context;
    void (*deleter)(struct dl_versioned *);
    uint64_t flags; /* bit 0: read-only */
    dl_tensor tensor;
} dl_versioned;

enum { DL_INT = 0, DL_UINT = 1, DL_FLOAT = 2, DL_BOOL = 6, DL_CPU = 1 };

/* The tuple of n numbers, scaled down from bytes to elements by unit. */
static PyObject *number_tuple(const void *values, Py_ssize_t n, int wide, Py_ssize_t unit) {
    PyObject *tuple = PyTuple_New(n);
    for (Py_ssize_t i = 0; tuple && i < n; i++) {
        long long value = wide ? ((const int64_t *)values)[i] : ((const Py_ssize_t *)values)[i];
        PyObject *number = PyLong_FromLongLong(value / unit);
        if (!number || PyTuple_SetItem(tuple, i, number) < 0) {
            Py_DECREF(tuple);
            return NULL;
        }
    }
    return tuple;
}

/* The strides of a row-major array without gaps, from its shape; NULL where shape is. */
static PyObject *compact_strides(PyObject *shape) {
    const Py_ssize_t n = shape ? PyTuple_Size(shape) : 0;
    PyObject *tuple = shape ? PyTuple_New(n) : NULL;
    long long stride = 1;
    for (Py_ssize_t i = n - 1; tuple && i >= 0; i--) {
        PyObject *number = PyLong_FromLongLong(stride);
        if (!number || PyTuple_SetItem(tuple, i, number) < 0) {
            Py_DECREF(tuple);
            return NULL;
        }
        stride *= PyLong_AsLongLong(PyTuple_GetItem(shape, i));
    }
    return tuple;
}

/* Takes over the references shape and strides; either may be NULL with an exception set. */
static PyObject *description(void *address, int code, int bits, PyObject *shape, PyObject *strides, int device_type,
                             int device_id, int read_only, PyObject *owner) {
    PyObject *result = NULL;
    if (shape && strides) {
        result = Py_BuildValue("NiOOiiiO", PyLong_FromVoidPtr(address), 256 * code + bits, shape, strides, device_type,
                               device_id, read_only, owner);
    }
    Py_XDECREF(shape);
    Py_XDECREF(strides);
    return result;
}

/* The DLPack type code of a struct-module format, -1 for one that is no single native number. */
static int buffer_code(const char *format) {
    if (!format) {
        return DL_UINT;
    }
    if (*format == '@' || *format == '=' || *format == '<') { /* little-endian, as x86-64 is */
        format++;
    }
    if (!format[0] || format[1]) {
        return -1;
    }
    switch (format[0]) {
    case 'e':
    case 'f':
    case 'd':
        return DL_FLOAT;
    case 'b':
    case 'h':
    case 'i':
    case 'l':
    case 'q':
    case 'n':
        return DL_INT;
    case 'B':
    case 'H':
    case 'I':
    case 'L':
    case 'Q':
    case 'N':
    case 'c':
        return DL_UINT;
    case '?':
        return DL_BOOL;
    default:
        return -1;
    }
}

static void release_buffer(PyObject *capsule) {
    Py_buffer *buffer = (Py_buffer *)PyCapsule_GetPointer(capsule, "libmarlin.buffer");
    if (buffer) {
        PyBuffer_Release(buffer);
        PyMem_Free(buffer);
    }
}

/* Describes what has the buffer protocol, None for what has not; the object's own exception where it refuses. */
PyObject *describe_buffer(PyObject *object) {
    if (!PyObject_CheckBuffer(object)) {
        Py_RETURN_NONE;
    }
    Py_buffer *buffer = (Py_buffer *)PyMem_Malloc(sizeof *buffer);
    if (!buffer) {
        return PyErr_NoMemory();
    }
    if (PyObject_GetBuffer(object, buffer, PyBUF_RECORDS_RO) < 0) {
        PyMem_Free(buffer);
        return NULL;
    }
    PyObject *owner = PyCapsule_New(buffer, "libmarlin.buffer", release_buffer);
    if (!owner) {
        PyBuffer_Release(buffer);
        PyMem_Free(buffer);
        return NULL;
    }
    PyObject *result = NULL;
    const int code = buffer_code(buffer->format);
    const Py_ssize_t size = buffer->itemsize;
    int whole = size > 0;
    for (int i = 0; whole && buffer->strides && i < buffer->ndim; i++) {
        whole = buffer->strides[i] % size == 0;
    }
    if (code < 0) {
        PyErr_Format(PyExc_TypeError, "the element format is %s, expected one number of the machine's byte order",
                     buffer->format);
    } else if (buffer->ndim > 0 && !buffer->shape) {
        PyErr_SetString(PyExc_TypeError, "the buffer has no shape");
    } else if (!whole) {
        PyErr_SetString(PyExc_TypeError, "the strides are no multiples of the element size");
    } else {
        PyObject *shape = number_tuple(buffer->shape, buffer->ndim, 0, 1);
        /* ctypes leaves the strides out although they were asked for. */
        PyObject *strides =
            buffer->strides ? number_tuple(buffer->strides, buffer->ndim, 0, size) : compact_strides(shape);
        result = description(buffer->buf, code, (int)(8 * size), shape, strides, DL_CPU, 0, buffer->readonly, owner);
    }
    Py_DECREF(owner);
    return result;
}

/* Describes what a __dlpack__ method returned. The capsule stays unconsumed: its own destructor frees the tensor. */
PyObject *describe_dlpack(PyObject *capsule) {
    const dl_tensor *tensor = NULL;
    int read_only = 0;
    if (PyCapsule_IsValid(capsule, "dltensor")) {
        tensor = (const dl_tensor *)PyCapsule_GetPointer(capsule, "dltensor");
    } else if (PyCapsule_IsValid(capsule, "dltensor_versioned")) {
        const dl_versioned *versioned = (const dl_versioned *)PyCapsule_GetPointer(capsule, "dltensor_versioned");
        if (versioned->major != 1) {
            PyErr_Format(PyExc_BufferError, "the DLPack major version is %u, expected 1", (unsigned)versioned->major);
            return NULL;
        }
        tensor = &versioned->tensor;
        read_only = versioned->flags & 1;
    } else {
        PyErr_SetString(PyExc_TypeError, "__dlpack__ returned no unused DLPack capsule");
        return NULL;
    }
    if (tensor->lanes != 1) {
        PyErr_Format(PyExc_TypeError, "the DLPack type has %d lanes, expected 1", (int)tensor->lanes);
        return NULL;
    }
    PyObject *shape = number_tuple(tensor->shape, tensor->ndim, 1, 1);
    PyObject *strides = tensor->strides ? number_tuple(tensor->strides, tensor->ndim, 1, 1) : compact_strides(shape);
    return description((char *)tensor->data + tensor->byte_offset, tensor->code, tensor->bits, shape, strides,
                       tensor->device_type, tensor->device_id, read_only, capsule);
}

#endif
