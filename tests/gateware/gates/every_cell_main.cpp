// Drives both clocks and the inputs of `top` from stdin, 2 bytes a step: i in bits 0..9, ti in 10..11, the levels of
// clock and sck in 12..13. Writes o (bits 0..15) and t (16..17) of each instance after each step.
#include <cstdint>
#include <cstdio>
#include "Vtop.h"

double sc_time_stamp() { return 0; }

int main() {
    VerilatedContext context;
    context.randReset(0);
    Vtop top{&context};
    uint16_t step;
    while (std::fread(&step, sizeof step, 1, stdin) == 1) {
        top.i = step & 0x3ff;
        top.ti = step >> 10 & 3;
        top.eval();
        top.clock = step >> 12 & 1;
        top.eval();
        top.sck = step >> 13 & 1;
        top.eval();
        const uint32_t seen[] = {uint32_t(top.o_probe) | uint32_t(top.t_probe) << 16,
                                 uint32_t(top.o_placed) | uint32_t(top.t_placed) << 16,
                                 uint32_t(top.o_wrong) | uint32_t(top.t_wrong) << 16};
        std::fwrite(seen, sizeof seen, 1, stdout);
    }
    return 0;
}
