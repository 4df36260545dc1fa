// Gives the rescaling cell vectors from stdin: words x, digits, scale (shift, zero point and bounds as a parameter's
// third word); answers a byte each.
#include <cstdint>
#include <cstdio>
#include <memory>
#include <vector>

#include "Vrequantise.h"
#include "verilated.h"

double sc_time_stamp() { return 0; }

static void clock(Vrequantise& cell) {
    cell.clk = 0;
    cell.eval();
    cell.clk = 1;
    cell.eval();
}

int main() {
    const auto context = std::make_unique<VerilatedContext>();
    context->randReset(2);
    Vrequantise cell(context.get());
    std::vector<uint8_t> results;
    uint32_t vector[3];
    while (std::fread(vector, sizeof vector, 1, stdin) == 1) {
        cell.x = vector[0];
        cell.digits = vector[1];
        cell.right = vector[2] & 31;
        cell.zero_point = vector[2] >> 8 & 0xff;
        cell.bounds = vector[2] >> 16;
        for (int cycle = 0; cycle < 3; ++cycle) {
            cell.high = cycle & 1;
            clock(cell);
        }
        results.push_back(cell.result);
    }
    std::fwrite(results.data(), 1, results.size(), stdout);
    cell.final();
    return 0;
}
