// The accelerator behind its SPI port: two clocks, each with edges of its own, and a master at the port's pins.
#pragma once

#include <cmath>
#include <cstdint>
#include <memory>
#include <vector>

#include "Vtop.h"
#include "board.h"
#include "verilated.h"
#include "wire.h"

class SpiMachine {
public:
    explicit SpiMachine(uint32_t seed) : context_(new VerilatedContext) {
        context_->randReset(seed ? 2 : 0);  // memories and registers start with seeded noise; zeros with seed 0
        context_->randSeed(static_cast<int>(seed));
        dut_.reset(new Vtop(context_.get()));
        dut_->clk = dut_->rst = dut_->sck = dut_->mosi = dut_->flash_grant = dut_->flash_i = 0;
        dut_->cs_n = 1;
        clocking(1, 0, 3);
        dut_->eval();
    }

    ~SpiMachine() { dut_->final(); }

    Board& board() { return board_; }
    uint64_t cycle() const { return cycle_; }

    // SCK at `ratio` of the core's clock; CS is high for `gap` core cycles before a frame, and falls `phase` of a
    // cycle after a rising edge of the core's clock.
    void clocking(double ratio, double phase, uint32_t gap) {
        if (!(ratio > 0.001 && ratio < 100 && phase >= 0 && phase < 1)) throw Refused("no such ratio or phase of clocks");
        half_sck_ = std::llround(kHalf / ratio);
        phase_ = std::llround(2 * kHalf * phase);
        gap_ = gap;
    }

    // `rst` rises and falls at no edge of the clock.
    void reset(uint32_t cycles) {
        set(dut_->rst, 1);
        clock(cycles);
        set(dut_->rst, 0);
        clock(kReleaseCycles);
    }

    // A whole number of core cycles, and up to the next edge that ends one.
    void clock(uint64_t cycles) {
        for (const uint64_t end = cycle_ + cycles; cycle_ < end;) core_edge();
        now_ = next_edge_ - kHalf;
    }

    // True when the interrupt came within so many cycles.
    bool await_irq(uint64_t cycles) {
        for (const uint64_t end = cycle_ + cycles; !dut_->irq && cycle_ < end;) core_edge();
        now_ = next_edge_ - kHalf;
        return dut_->irq;
    }

    void select() {
        clock(gap_);
        pass(phase_);
        set(dut_->cs_n, 0);
    }

    // Bytes of SPI mode 0, high bit first; `reply` gets what MISO was in each rising edge of SCK.
    void exchange(const std::vector<uint8_t>& bytes, Writer& reply) {
        for (const uint8_t byte : bytes) reply.put(exchange(byte));
    }

    void deselect() {
        pass(half_sck_);
        set(dut_->cs_n, 1);
    }

    void transfer(const std::vector<uint8_t>& bytes, Writer& reply) {
        select();
        exchange(bytes, reply);
        deselect();
    }

    bool irq() const { return dut_->irq; }
    bool holds_flash() const { return dut_->flash_request || dut_->flash_driven; }

private:
    static constexpr uint64_t kHalf = 1 << 20;  // of a core cycle, in ticks
    static constexpr uint32_t kReleaseCycles = 4;
    static constexpr uint64_t kAloneCycles = 1 << 16;

    uint8_t exchange(uint8_t byte) {
        unsigned in = 0;
        for (int bit = 7; bit >= 0; --bit) {
            dut_->mosi = byte >> bit & 1;  // with the falling edge of SCK or CS
            pass(half_sck_);
            in = in << 1 | dut_->miso;
            set(dut_->sck, 1);
            pass(half_sck_);
            set(dut_->sck, 0);
        }
        return static_cast<uint8_t>(in);
    }

    template <typename Pin> void set(Pin& pin, uint8_t level) {
        pin = level;
        dut_->eval();
    }

    // Lets time pass; of edges at the same time the core's come first.
    void pass(uint64_t ticks) {
        now_ += ticks;
        while (next_edge_ <= now_) core_edge();
    }

    // The board sees what came out of the last rising edge, after the falling one: a chip's SCK pin is high then. It
    // drives the inputs before the next.
    void core_edge() {
        set(dut_->clk, !dut_->clk);
        next_edge_ += kHalf;
        if (!dut_->clk) return see_board();
        if (++cycle_ % kAloneCycles == 0) leave_when_alone();
    }

    void see_board() {
        board_.cycle(*dut_, cycle_);
        dut_->eval();  // the inputs are there before the rising edge
    }

    std::unique_ptr<VerilatedContext> context_;
    std::unique_ptr<Vtop> dut_;
    Board board_;
    uint64_t half_sck_ = 0, phase_ = 0, gap_ = 0;
    uint64_t now_ = 0, next_edge_ = kHalf, cycle_ = 0;
};
