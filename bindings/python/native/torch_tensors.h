/* PyTorch's tensors as DLPack's C exchange API tells of them: all in one call, without a Python object made. */
#ifndef LIBMARLIN_TORCH_TENSORS_H
#define LIBMARLIN_TORCH_TENSORS_H

#include "arrays.h"
#include <Python.h>
#include <marlin/marlin.h>
#include <stdint.h>

/* The table behind the capsule __dlpack_c_exchange_api__ of a tensor class, as dlpack.h of github.com/dmlc/dlpack
 * (Apache-2.0) lays it out from version 1.3 on; names are ours. Functions that are not called here have no types. */
typedef struct dl_exchange {
    uint32_t major;
    uint32_t minor;
    const struct dl_exchange *older;
    void (*allocate)(void);
    void (*export_owned)(void);
    void (*import)(void);
    int (*describe)(void *object, dl_tensor *tensor); /* borrowed, for as long as nobody changes the tensor */
    void (*current_stream)(void);
} dl_exchange;

enum { DL_BFLOAT = 4, DL_CUDA = 2 };

/* Set before the first kernel is registered, and never again. */
static int (*describe_tensor)(void *object, dl_tensor *tensor);
static PyTypeObject *tensor_types[2]; /* PyTorch's own: what others do with a tensor is theirs */

/* Takes the exchange API of the first of two classes; 0 where it has none that is known here. */
static int use_exchange(PyObject *tensor, PyObject *parameter) {
    PyObject *capsule = PyObject_GetAttrString(tensor, "__dlpack_c_exchange_api__");
    const dl_exchange *api = NULL;
    if (capsule && PyCapsule_IsValid(capsule, "dlpack_exchange_api")) {
        api = (const dl_exchange *)PyCapsule_GetPointer(capsule, "dlpack_exchange_api");
    }
    PyErr_Clear();
    Py_XDECREF(capsule);
    while (api && api->major > 1) {
        api = api->older;
    }
    if (!api || api->major != 1 || !api->describe) {
        return 0;
    }
    describe_tensor = api->describe;
    tensor_types[0] = (PyTypeObject *)Py_NewRef(tensor);
    tensor_types[1] = (PyTypeObject *)Py_NewRef(parameter);
    return 1;
}

/* 0 for what is no plain tensor, or cannot be described. */
static int read_tensor(PyObject *object, dl_tensor *tensor) {
    if (Py_TYPE(object) != tensor_types[0] && Py_TYPE(object) != tensor_types[1]) {
        return 0;
    }
    if (describe_tensor(object, tensor) != 0) {
        PyErr_Clear();
        return 0;
    }
    tensor->data = (char *)tensor->data + tensor->byte_offset;
    return 1;
}

/* The marlin_type of a tensor that a multiply reads or writes, 0 for others. */
static int32_t float_type(const dl_tensor *tensor) {
    if (tensor->lanes != 1) {
        return 0;
    }
    if (tensor->code == DL_FLOAT) {
        return tensor->bits == 16 ? MARLIN_TYPE_F16 : tensor->bits == 32 ? MARLIN_TYPE_F32 : 0;
    }
    return tensor->code == DL_BFLOAT && tensor->bits == 16 ? MARLIN_TYPE_BF16 : 0;
}

static int same_device(const dl_tensor *x, const dl_tensor *y) {
    return x->device_type == y->device_type && x->device_id == y->device_id;
}

/* Row-major without gaps, as PyTorch's is_contiguous has it: the stride of a single element does not matter. */
static int contiguous(const dl_tensor *tensor) {
    int64_t expected = 1;
    for (int32_t i = tensor->ndim - 1; i >= 0; i--) {
        if (tensor->shape[i] == 0) {
            return 1;
        }
        if (tensor->shape[i] != 1 && tensor->strides && tensor->strides[i] != expected) {
            return 0;
        }
        expected *= tensor->shape[i];
    }
    return 1;
}

#endif
