// Feeds stdin to a mac array, 33 bytes a cycle (a[16], b[16], load), and writes what `s` shows in each cycle.
#include <cstdint>
#include <cstdio>
#include <cstring>
#include "Vmac_array.h"

int main(int argc, char **argv) {
    VerilatedContext context;
    context.commandArgs(argc, argv);
    Vmac_array top{&context};
    uint8_t cycle[33];
    while (fread(cycle, sizeof cycle, 1, stdin) == 1) {
        memcpy(top.a.data(), cycle, 16);
        memcpy(top.b.data(), cycle + 16, 16);
        top.load = cycle[32];
        top.clk = 0;
        top.eval();
        fwrite(top.s.data(), 16, 1, stdout);
        top.clk = 1;
        top.eval();
    }
    return 0;
}
