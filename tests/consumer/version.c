/* The header that was installed and the library that was loaded are of one version. */
#include <marlin/marlin.h>
#include <stdio.h>

int main(void) {
    printf("header %d, library %d, %s\n", MARLIN_VERSION, marlin_version(), marlin_build_info());
    return marlin_version() == MARLIN_VERSION ? 0 : 1;
}
