// The same from C++: names have C linkage, and a handle can be made and destroyed.
#include <iostream>
#include <marlin/marlin.h>

int main() {
    marlin_handle_desc desc = {};
    desc.struct_size = sizeof(desc);
    desc.device = MARLIN_DEVICE_CPU;
    marlin_handle_t handle = nullptr;
    const marlin_status status = marlin_handle_create(&desc, &handle);
    std::cout << marlin_status_name(status) << ", library " << marlin_version() << "\n";
    marlin_handle_destroy(handle);
    return status == MARLIN_SUCCESS && marlin_version() == MARLIN_VERSION ? 0 : 1;
}
