// The native module: marlin.h as it stands, with addresses as integers. Every check is the Python code's above it.
%module(package="libmarlin", threads="1") native

%{
#include <marlin/marlin.h>
#include "arrays.h"
#include "log.h"
#include "torch_call.h"
%}

%include <stdint.i>

// Releasing the GIL costs more than reading a field: only what can take long does it.
%nothread;
%thread marlin_handle_create;
%thread marlin_handle_destroy;
%thread marlin_handle_set_stream;
%thread marlin_handle_set_workspace;
%thread marlin_handle_set_option;
%thread marlin_weights_attach;
%thread marlin_pack;
%thread marlin_unpack;
%thread marlin_gemm;
%thread marlin_sp_gemm;

// Addresses are integers, 0 is NULL.
%define ADDRESS(TYPE)
%typemap(in) TYPE {
    $1 = ($1_ltype)PyLong_AsVoidPtr($input);
    if (!$1 && PyErr_Occurred()) SWIG_fail;
}
%typemap(out) TYPE "$result = PyLong_FromVoidPtr((void *)$1);"
%enddef
ADDRESS(void *)
ADDRESS(const void *)
ADDRESS(const int32_t *)
ADDRESS(const float *)
ADDRESS(marlin_handle_t)
ADDRESS(marlin_stream_t)

// What a function writes becomes a part of its result: (status, value).
%typemap(in, numinputs=0) marlin_handle_t *handle (marlin_handle_t created) "created = NULL; $1 = &created;"
%typemap(argout) marlin_handle_t *handle "$result = Py_BuildValue(\"NN\", $result, PyLong_FromVoidPtr(created$argnum));"
%typemap(in, numinputs=0) marlin_stream_t *stream (marlin_stream_t current) "current = NULL; $1 = &current;"
%typemap(argout) marlin_stream_t *stream "$result = Py_BuildValue(\"NN\", $result, PyLong_FromVoidPtr(current$argnum));"
%typemap(in, numinputs=0) int64_t *value (int64_t got) "got = 0; $1 = &got;"
%typemap(argout) int64_t *value "$result = Py_BuildValue(\"NL\", $result, (long long)got$argnum);"
%typemap(in, numinputs=0) size_t *size (size_t needed) "needed = 0; $1 = &needed;"
%typemap(argout) size_t *size "$result = Py_BuildValue(\"Nn\", $result, (Py_ssize_t)needed$argnum);"

// A text of any length, from marlin_last_error.
%ignore marlin_last_error;
// The receiver is a Python callable: set_log.
%ignore marlin_set_log;
%ignore reserved;
%ignore reserved0;
%ignore struct_size;

// Every struct starts as zero with its size set.
%define STRUCT(NAME)
%extend NAME {
    NAME() {
        NAME *self = (NAME *)calloc(1, sizeof(NAME));
        if (self) self->struct_size = sizeof(NAME);
        return self;
    }
    ~NAME() { free($self); }
}
%enddef
STRUCT(marlin_handle_desc)
STRUCT(marlin_handle_info)
STRUCT(marlin_weights)
STRUCT(marlin_pack_desc)
STRUCT(marlin_pack_input)
STRUCT(marlin_unpack_desc)
STRUCT(marlin_gemm_desc)
STRUCT(marlin_gemm_info)

#define MARLIN_STATIC
%include <marlin/marlin.h>

PyObject *describe_buffer(PyObject *object);
PyObject *describe_dlpack(PyObject *capsule);
void set_log(PyObject *receiver, int level);
PyObject *torch_prepare(PyObject *tensor, PyObject *parameter, PyObject *attached, PyObject *handles,
                        PyObject *expired, PyObject *num_threads, PyObject *current_stream);
PyObject *torch_kernel(PyObject *general, int sparse);

%inline %{
const void *weights_address(const marlin_weights *weights) { return weights; }

PyObject *last_error(marlin_handle_t handle) {
    char text[1024];
    const size_t length = marlin_last_error(handle, text, sizeof text);
    if (length < sizeof text) {
        return PyUnicode_DecodeUTF8(text, (Py_ssize_t)length, "replace");
    }
    char *whole = (char *)malloc(length + 1);
    if (!whole) {
        return PyErr_NoMemory();
    }
    marlin_last_error(handle, whole, length + 1);
    PyObject *result = PyUnicode_DecodeUTF8(whole, (Py_ssize_t)length, "replace");
    free(whole);
    return result;
}
%}
