/* The kernels of torch.ops.libmarlin.gemm and sp_gemm: a usual call in one C function, all others in Python.
 *
 * Usual is a call with plain tensors whose weights, stream and shapes are as a call before left them, and that has
 * nothing wrong. What this function does not know is no error here: the Python kernel decides it, and has the words. */
#ifndef LIBMARLIN_TORCH_CALL_H
#define LIBMARLIN_TORCH_CALL_H

#include "torch_tensors.h"
#include <Python.h>
#include <marlin/marlin.h>
#include <stdint.h>
#include <string.h>

typedef marlin_status (*multiply_function)(marlin_handle_t, const marlin_gemm_desc *, const void *,
                                           const marlin_weights *, void *);

/* What libmarlin.torch keeps and what it calls of PyTorch; handed over once, read with the GIL held. */
static struct {
    PyObject *attached; /* dict: address of packed bytes -> Attached */
    PyObject *handles;  /* dict: (device, stream or number of threads) -> Handle */
    PyObject *expired;
    PyObject *is_inference;
    PyObject *new_empty;
    PyObject *num_threads;
    PyObject *current_stream;
} torch_side;

enum { OF_TENSOR_VERSION, LOCK, ACQUIRE, RELEASE, ADDRESS, DTYPE, NAMES };
static const char *const name_texts[NAMES] = {"_version", "_lock", "acquire", "release", "_address", "dtype"};
static PyObject *names[NAMES]; /* the same, interned */

/* Places in the tuple Attached of _attached.py. */
enum { AT_STORAGE, AT_INFERENCE, AT_VERSION, AT_WEIGHTS };

/* 1: the condition holds; 0: it does not, or asking failed. Takes over the reference. */
static int is_object(PyObject *answer, PyObject *expected) {
    const int same = answer == expected;
    Py_XDECREF(answer);
    PyErr_Clear();
    return same;
}

/* Whether the packed bytes are still those that were read: _attached.py has the reasoning. */
static int still_attached(PyObject *attached, PyObject *weights) {
    PyObject *storage = PyTuple_GetItem(attached, AT_STORAGE);
    if (!is_object(PyObject_CallFunctionObjArgs(torch_side.expired, storage, NULL), Py_False)) {
        return 0;
    }
    if (PyTuple_GetItem(attached, AT_INFERENCE) == Py_True) {
        return is_object(PyObject_CallFunctionObjArgs(torch_side.is_inference, weights, NULL), Py_True);
    }
    PyObject *version = PyObject_GetAttr(weights, names[OF_TENSOR_VERSION]);
    const int same = version && PyObject_RichCompareBool(version, PyTuple_GetItem(attached, AT_VERSION), Py_EQ) == 1;
    Py_XDECREF(version);
    PyErr_Clear(); /* tensors of inference mode refuse to tell their version */
    return same;
}

/* The Attached of packed bytes with what the library read in them, a new reference; NULL without an exception. */
static PyObject *find_attached(PyObject *weights, const void *address, const marlin_weights **read) {
    PyObject *key = PyLong_FromVoidPtr((void *)address);
    PyObject *found = key ? PyDict_GetItemWithError(torch_side.attached, key) : NULL;
    Py_XDECREF(key);
    PyErr_Clear();
    if (!found || !PyTuple_Check(found)) {
        return NULL;
    }
    Py_INCREF(found); /* another thread may replace it */
    *read = (const marlin_weights *)PyLong_AsVoidPtr(PyTuple_GetItem(found, AT_WEIGHTS));
    if (still_attached(found, weights)) {
        return found;
    }
    Py_DECREF(found);
    return NULL;
}

/* The handle of PyTorch's current stream, or of its number of threads; a new reference, NULL without an exception. */
static PyObject *find_handle(const dl_tensor *weights) {
    const int on_cuda = weights->device_type == DL_CUDA;
    if (!on_cuda && weights->device_type != DL_CPU) {
        return NULL;
    }
    PyObject *device = PyLong_FromLong(on_cuda ? weights->device_id : -1);
    PyObject *which = !device   ? NULL
                      : on_cuda ? PyObject_CallFunctionObjArgs(torch_side.current_stream, device, NULL)
                                : PyObject_CallNoArgs(torch_side.num_threads);
    PyObject *key = which ? PyTuple_Pack(2, device, which) : NULL;
    PyObject *handle = key ? PyDict_GetItemWithError(torch_side.handles, key) : NULL;
    Py_XINCREF(handle);
    Py_XDECREF(key);
    Py_XDECREF(which);
    Py_XDECREF(device);
    PyErr_Clear();
    return handle;
}

/* Describes A's rows and the bias; 0 where the Python kernel must see to them. */
static int describe_call(marlin_gemm_desc *desc, const marlin_weights *b, const dl_tensor *weights, const dl_tensor *a,
                         const dl_tensor *bias) {
    if (a->ndim < 1 || a->shape[a->ndim - 1] != b->k || !same_device(a, weights)) {
        return 0;
    }
    memset(desc, 0, sizeof *desc);
    desc->struct_size = sizeof *desc;
    desc->a_type = float_type(a);
    desc->lda = b->k;
    if (!contiguous(a)) {
        if (a->ndim != 2 || a->strides[1] != 1 || a->strides[0] < b->k) {
            return 0;
        }
        desc->lda = a->strides[0];
    }
    desc->m = 1;
    for (int32_t i = 0; i < a->ndim - 1; i++) {
        desc->m *= a->shape[i];
    }
    if (bias) {
        if (bias->ndim != 1 || bias->shape[0] != b->n || !contiguous(bias) || !same_device(bias, a)) {
            return 0;
        }
        desc->bias = bias->data;
        desc->bias_type = float_type(bias);
    }
    return desc->a_type && (!bias || desc->bias_type);
}

/* An empty tensor (..., n) like a, of another type where one is given; NULL with an exception set. */
static PyObject *new_result(PyObject *a, const dl_tensor *like, PyObject *n, PyObject *type) {
    PyObject *arguments = PyTuple_New(like->ndim + 1); /* sizes one by one: PyTorch reads a tuple more slowly */
    PyObject *keywords = NULL;
    PyObject *result = NULL;
    if (!arguments) {
        return NULL;
    }
    PyTuple_SetItem(arguments, 0, Py_NewRef(a));
    for (int32_t i = 0; i < like->ndim - 1; i++) {
        PyObject *size = PyLong_FromLongLong(like->shape[i]);
        if (!size) {
            goto end;
        }
        PyTuple_SetItem(arguments, i + 1, size);
    }
    PyTuple_SetItem(arguments, like->ndim, Py_NewRef(n));
    if (type) {
        keywords = PyDict_New();
        if (!keywords || PyDict_SetItem(keywords, names[DTYPE], type) < 0) {
            goto end;
        }
    }
    result = PyObject_Call(torch_side.new_empty, arguments, keywords);
end:
    Py_XDECREF(keywords);
    Py_DECREF(arguments);
    return result;
}

/* Multiplies under the handle's lock, without the GIL; 0, or -1 with an exception set. */
static int multiply_locked(PyObject *handle, multiply_function function, const marlin_gemm_desc *desc, const void *a,
                           const marlin_weights *b, void *c) {
    PyObject *lock = PyObject_GetAttr(handle, names[LOCK]);
    PyObject *answer = lock ? PyObject_CallMethodObjArgs(lock, names[ACQUIRE], NULL) : NULL;
    if (!answer) {
        Py_XDECREF(lock);
        return -1;
    }
    Py_DECREF(answer);
    answer = PyObject_GetAttr(handle, names[ADDRESS]);
    marlin_handle_t address = answer ? (marlin_handle_t)PyLong_AsVoidPtr(answer) : NULL;
    Py_XDECREF(answer);
    if (!PyErr_Occurred()) {
        marlin_status status;
        Py_BEGIN_ALLOW_THREADS;
        status = function(address, desc, a, b, c);
        Py_END_ALLOW_THREADS;
        if (status != MARLIN_SUCCESS) {
            Py_XDECREF(PyObject_CallMethod(handle, "_check", "i", (int)status));
        }
    }
    PyObject *type, *value, *traceback;
    PyErr_Fetch(&type, &value, &traceback);
    const int failed = type != NULL;
    answer = PyObject_CallMethodObjArgs(lock, names[RELEASE], NULL);
    if (failed) {
        PyErr_Restore(type, value, traceback);
    }
    const int released = answer != NULL;
    Py_XDECREF(answer);
    Py_DECREF(lock);
    return failed || !released ? -1 : 0;
}

/* The result of a usual call, or NULL: with an exception set where it failed, without one where it is not usual. */
static PyObject *usual_call(multiply_function function, PyObject *const *arguments, Py_ssize_t count) {
    if (count < 3 || count > 5) {
        return NULL;
    }
    PyObject *of_bias = count > 3 && arguments[3] != Py_None ? arguments[3] : NULL;
    PyObject *out_type = count > 4 && arguments[4] != Py_None ? arguments[4] : NULL;
    dl_tensor a, weights, bias, out;
    const marlin_weights *b = NULL;
    marlin_gemm_desc desc;
    if (!read_tensor(arguments[1], &weights) || !read_tensor(arguments[0], &a) ||
        (of_bias && !read_tensor(of_bias, &bias))) {
        return NULL;
    }
    PyObject *attached = find_attached(arguments[1], weights.data, &b);
    if (!attached) {
        return NULL;
    }
    PyObject *handle = NULL;
    PyObject *result = NULL;
    const long long n = PyLong_AsLongLong(arguments[2]);
    if (n == -1 && PyErr_Occurred()) {
        PyErr_Clear();
    } else if (n == b->n && describe_call(&desc, b, &weights, &a, of_bias ? &bias : NULL)) {
        handle = find_handle(&weights);
    }
    if (handle) {
        result = new_result(arguments[0], &a, arguments[2], out_type);
        if (result && (!read_tensor(result, &out) || !(desc.c_type = float_type(&out)))) {
            Py_CLEAR(result); /* of a type that the Python kernel refuses */
        } else if (result && multiply_locked(handle, function, &desc, a.data, b, out.data) < 0) {
            Py_CLEAR(result);
        }
    }
    Py_XDECREF(handle);
    Py_DECREF(attached);
    return result;
}

static PyObject *call_kernel(multiply_function function, PyObject *general, PyObject *const *arguments,
                             Py_ssize_t count) {
    PyObject *result = usual_call(function, arguments, count);
    if (result || PyErr_Occurred()) {
        return result;
    }
    PyObject *tuple = PyTuple_New(count);
    for (Py_ssize_t i = 0; tuple && i < count; i++) {
        PyTuple_SetItem(tuple, i, Py_NewRef(arguments[i]));
    }
    result = tuple ? PyObject_Call(general, tuple, NULL) : NULL;
    Py_XDECREF(tuple);
    return result;
}

static PyObject *gemm_kernel(PyObject *general, PyObject *const *arguments, Py_ssize_t count) {
    return call_kernel(marlin_gemm, general, arguments, count);
}

static PyObject *sp_gemm_kernel(PyObject *general, PyObject *const *arguments, Py_ssize_t count) {
    return call_kernel(marlin_sp_gemm, general, arguments, count);
}

/* CPython calls what METH_FASTCALL says, whatever the type that the field has. */
static PyMethodDef gemm_method = {"gemm", (PyCFunction)(void (*)(void))gemm_kernel, METH_FASTCALL, NULL};
static PyMethodDef sp_gemm_method = {"sp_gemm", (PyCFunction)(void (*)(void))sp_gemm_kernel, METH_FASTCALL, NULL};

/* Takes what the kernels need; False where this PyTorch has no exchange API, and then there are no kernels. */
PyObject *torch_prepare(PyObject *tensor, PyObject *parameter, PyObject *attached, PyObject *handles, PyObject *expired,
                        PyObject *num_threads, PyObject *current_stream) {
    if (!PyType_Check(tensor) || !PyType_Check(parameter) || !PyDict_Check(attached) || !PyDict_Check(handles)) {
        PyErr_SetString(PyExc_TypeError, "expected two classes of tensors, two dicts and three functions");
        return NULL;
    }
    if (!use_exchange(tensor, parameter)) {
        Py_RETURN_FALSE;
    }
    for (int i = 0; i < NAMES; i++) {
        names[i] = PyUnicode_InternFromString(name_texts[i]);
        if (!names[i]) {
            return NULL;
        }
    }
    torch_side.is_inference = PyObject_GetAttrString(tensor, "is_inference");
    torch_side.new_empty = PyObject_GetAttrString(tensor, "new_empty");
    if (!torch_side.is_inference || !torch_side.new_empty) {
        return NULL;
    }
    torch_side.attached = Py_NewRef(attached);
    torch_side.handles = Py_NewRef(handles);
    torch_side.expired = Py_NewRef(expired);
    torch_side.num_threads = Py_NewRef(num_threads);
    torch_side.current_stream = Py_NewRef(current_stream);
    Py_RETURN_TRUE;
}

/* The kernel of one operator, once prepared; general is its Python kernel. */
PyObject *torch_kernel(PyObject *general, int sparse) {
    return PyCFunction_NewEx(sparse ? &sp_gemm_method : &gemm_method, general, NULL);
}

#endif
