// Drives an accelerator's bus from stdin, 12 bytes a command: kind, address, value. 0 idles `value` cycles, 1 writes,
// 2 reads and writes the word to stdout.
#include <cstdint>
#include <cstdio>
#include "Vaccelerator.h"

static Vaccelerator *top;

static void tick() {
    top->clk = 0;
    top->eval();
    top->clk = 1;
    top->eval();
}

static void access(bool write, uint32_t address, uint32_t value) {
    top->bus_valid = 1;
    top->bus_write = write;
    top->bus_addr = address;
    top->bus_wdata = value;
    tick();
    top->bus_valid = 0;
}

static void read(uint32_t address) {
    access(false, address, 0);
    top->clk = 0;
    top->eval();
    const uint32_t word = top->bus_rdata;
    fwrite(&word, sizeof word, 1, stdout);
    tick();
}

int main() {
    VerilatedContext context;
    context.randReset(2);
    context.randSeed(1);
    Vaccelerator dut{&context};
    top = &dut;
    top->reset = 1;
    tick();
    tick();
    top->reset = 0;
    uint32_t command[3];
    while (fread(command, sizeof command, 1, stdin) == 1) {
        if (command[0] == 2) read(command[1]);
        else if (command[0] == 1) access(true, command[1], command[2]);
        else for (uint32_t i = 0; i < command[2]; i++) tick();
    }
    return 0;
}
