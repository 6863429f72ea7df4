/* The log receiver: a Python callable called by whatever thread a multiply runs in. */
#ifndef LIBMARLIN_LOG_H
#define LIBMARLIN_LOG_H

#include <Python.h>
#include <marlin/marlin.h>

static PyObject *log_receiver; /* read and written with the GIL held */

static void forward_log(void *user, marlin_log_level level, const char *message) {
    (void)user;
    if (!Py_IsInitialized()) {
        return;
    }
    const PyGILState_STATE state = PyGILState_Ensure();
    PyObject *receiver = log_receiver;
    if (receiver) {
        /* A message may come while an exception is on its way: it must survive the call. */
        PyObject *type, *value, *traceback;
        PyErr_Fetch(&type, &value, &traceback);
        Py_INCREF(receiver);
        PyObject *result = PyObject_CallFunction(receiver, "is", (int)level, message);
        if (!result) {
            PyErr_WriteUnraisable(receiver);
        }
        Py_XDECREF(result);
        Py_DECREF(receiver);
        PyErr_Restore(type, value, traceback);
    }
    PyGILState_Release(state);
}

/* None: standard error. */
void set_log(PyObject *receiver, int level) {
    PyObject *old = log_receiver;
    log_receiver = receiver == Py_None ? NULL : receiver;
    Py_XINCREF(log_receiver);
    marlin_set_log(log_receiver ? forward_log : NULL, NULL, (marlin_log_level)level);
    Py_XDECREF(old);
}

#endif
