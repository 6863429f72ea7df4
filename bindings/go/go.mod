module libmarlin/marlin

go 1.19
