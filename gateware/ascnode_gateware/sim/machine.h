// The accelerator, its clock and its bus, one cycle at a time.
#pragma once

#include <cstdint>
#include <cstdio>
#include <memory>

#include "Vtop.h"
#include "board.h"
#include "verilated.h"
#include "wire.h"

// What the bus does in a cycle; an idle bus has valid = false.
struct Access {
    bool valid = false;
    bool write = false;
    uint16_t address = 0;
    uint32_t data = 0;
};

class Machine {
public:
    explicit Machine(uint32_t seed) : context_(new VerilatedContext) {
        context_->randReset(seed ? 2 : 0);  // memories and registers start with seeded noise; zeros with seed 0
        context_->randSeed(static_cast<int>(seed));
        dut_.reset(new Vtop(context_.get()));
        quiet(*dut_);
    }

    ~Machine() { dut_->final(); }

    Board& board() { return board_; }
    uint64_t cycle() const { return cycle_; }
    uint32_t read_data() const { return read_data_; }  // of the read accepted in the cycle before the last

    void reset(uint32_t cycles) {
        dut_->reset = 1;
        for (uint32_t i = 0; i < cycles; ++i) clock({});
        dut_->reset = 0;
    }

    // One clock cycle; true when the access was accepted. Outputs are those from before the closing edge.
    bool clock(const Access& access) {
        if (cycle_ % kAloneCycles == 0) leave_when_alone();
        dut_->bus_valid = access.valid;
        dut_->bus_write = access.write;
        dut_->bus_addr = access.address;
        dut_->bus_wdata = access.data;
        board_.cycle(*dut_, cycle_);
        dut_->clk = 0;
        dut_->eval();
        const bool accepted = access.valid && dut_->bus_ready;
        refused_ += access.valid && !accepted;
        read_data_ = dut_->bus_rdata;
        layer_ = dut_->layer;
        busy_ = dut_->busy;
        irq_ = dut_->irq;
        dut_->clk = 1;
        dut_->eval();
        ++cycle_;
        return accepted;
    }

    // The values of the last cycle.
    uint32_t layer() const { return layer_; }
    bool busy() const { return busy_; }
    bool irq() const { return irq_; }
    uint64_t refused() const { return refused_; }  // cycles in which the bus had to wait

    void write(uint16_t address, uint32_t data) { insist({true, true, address, data}); }

    uint32_t read(uint16_t address) {
        insist({true, false, address, 0});
        clock({});
        return read_data_;
    }

    // Consecutive words, a word a cycle while the bus accepts them.
    void read(uint16_t address, uint32_t count, Writer& into) {
        for (uint32_t i = 0; i < count; ++i) {
            insist({true, false, static_cast<uint16_t>(address + i), 0});
            if (i) into.put(late_);
        }
        clock({});
        if (count) into.put(read_data_);
    }

private:
    // Inputs that nobody drives; those of a port in front are not on every top module.
    template <typename Pins> static void quiet(Pins& pins) {
        if constexpr (requires { pins.crc_error; }) pins.crc_error = 0;
        if constexpr (requires { pins.frame_error; }) pins.frame_error = 0;
    }

    static constexpr uint32_t kBusDeadlineCycles = 100000;
    static constexpr uint64_t kAloneCycles = 1 << 16;

    void insist(const Access& access) {
        const bool first = clock(access);
        late_ = read_data_;  // answers the read before this one: it was accepted a cycle ago
        if (first) return;
        for (uint32_t i = 1; i < kBusDeadlineCycles; ++i)
            if (clock(access)) return;
        char text[96];
        std::snprintf(text, sizeof text, "the bus did not accept a %s of address 0x%04x in %u cycles",
                      access.write ? "write" : "read", access.address, kBusDeadlineCycles);
        throw Refused(text);
    }

    std::unique_ptr<VerilatedContext> context_;
    std::unique_ptr<Vtop> dut_;
    Board board_;
    uint64_t cycle_ = 0;
    uint64_t refused_ = 0;
    uint32_t read_data_ = 0;
    uint32_t late_ = 0;
    uint32_t layer_ = 0;
    bool busy_ = false;
    bool irq_ = false;
};
