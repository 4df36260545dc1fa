// The board around the flash's pins, a clock cycle at a time: the flash, the lines, and a host that shares them. A rule
// of the pins that the design breaks is a BrokenRule.
#pragma once

#include <cstdint>
#include <deque>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

struct BrokenRule : std::runtime_error {
    BrokenRule(const char* rule, uint64_t cycle)
        : std::runtime_error("cycle " + std::to_string(cycle) + ": " + rule) {}
};

enum class Socket : uint32_t { kFlash = 0, kPulledUp = 1, kPulledDown = 2, kNoise = 3 };  // but kFlash: it is empty

struct FlashPlan {
    uint64_t seed = 1;
    uint32_t delay_cycles = 0;  // that a nibble needs from the flash, beyond the first
    Socket socket = Socket::kFlash;
    bool quad = true;               // bit QE
    double error_rate = 0;          // of a bit from the flash
    double grant_cycles = 0;        // mean time until a request is granted; 0 at once, negative never
    double hold_cycles = 0;         // mean time until a grant is taken away; 0 never
};

struct FlashCounts {
    uint64_t wrong_bits = 0;  // that error_rate made
    uint64_t reads = 0;       // 0x6B commands
    uint64_t taken = 0;       // grants that the host took away
};

class Chance {
public:
    explicit Chance(uint64_t seed) : random_(seed) {}
    bool chance(double p) { return p > 0 && std::uniform_real_distribution<>(0, 1)(random_) < p; }
    uint64_t about(double mean) { return mean <= 0 ? 0 : 1 + std::exponential_distribution<>(1 / mean)(random_); }
    unsigned nibble() { return random_() & 15; }

private:
    std::mt19937_64 random_;
};

// W25Q32JV as far as the streamer uses it; SCK pulses come at most one a cycle.
class Flash {
public:
    Flash(std::vector<uint8_t> contents, bool quad) : contents_(std::move(contents)), quad_(quad) {}
    bool selected() const { return selected_; }
    unsigned drives() const { return drives_; }
    uint64_t reads() const { return reads_; }
    void sleep() { asleep_ = true; }
    void select() { selected_ = true, bits_ = 0, shift_ = 0, drives_ = 0; }

    void deselect(uint64_t cycle) {
        if (selected_ && bits_ >= 8 && opcode_ == kWake) asleep_ = false, awake_from_ = cycle + kWakeCycles;
        selected_ = false, drives_ = 0;
    }

    void rising(unsigned io, uint64_t cycle) {
        shift_ = shift_ << 1 | (io & 1), bits_++;
        if (bits_ == 8) opcode_ = shift_ & 0xff, obeys_ = opcode_ == kWake || (!asleep_ && cycle >= awake_from_);
        if (bits_ == 32 && opcode_ == kQuadRead) address_ = (shift_ & 0xffffff) * 2, reads_++;
    }

    // The falling edge; returns the lines driven, and sets `io`.
    unsigned falling(unsigned& io) {
        if (!obeys_ || bits_ < 8) return drives_ = 0;
        const unsigned since = bits_ - 8;
        if (opcode_ == kReadId && since < 24) return one(kJedecId >> (23 - since), io);
        if (opcode_ == kReadStatus2) return one((quad_ ? 2 : 0) >> (7 - since % 8), io);
        if (opcode_ == kQuadRead && quad_ && bits_ >= 40 && !contents_.empty()) {
            const uint8_t byte = contents_[address_ / 2 % contents_.size()];
            io = address_++ & 1 ? byte & 15 : byte >> 4;
            return drives_ = 15;
        }
        return drives_ = 0;
    }

private:
    static constexpr unsigned kWake = 0xab, kReadId = 0x9f, kReadStatus2 = 0x35, kQuadRead = 0x6b;
    static constexpr unsigned kJedecId = 0xef4016;
    static constexpr uint64_t kWakeCycles = 84;  // tRES1, 3 us, at 28 MHz

    unsigned one(unsigned bits, unsigned& io) {
        io = (bits & 1) << 1;
        return drives_ = 2;
    }

    std::vector<uint8_t> contents_;
    bool quad_, asleep_ = true, selected_ = false, obeys_ = false;
    uint64_t awake_from_ = 0, reads_ = 0;
    unsigned bits_ = 0, shift_ = 0, opcode_ = 0, drives_ = 0;
    size_t address_ = 0;
};

// The host grants the pins, takes them back, and may leave the flash asleep.
class FlashHost {
public:
    explicit FlashHost(const FlashPlan& plan) : grant_cycles_(plan.grant_cycles), hold_cycles_(plan.hold_cycles) {}
    uint64_t taken() const { return times_taken_; }

    bool cycle(bool request, bool driven, Flash& flash, Chance& random, uint64_t now) {
        if (!request) grants_ = false, due_ = 0;
        if (grants_ && until_ && now >= until_) take(random, now);
        if (!grants_ && taken_ && now > taken_ + kReleaseCycles && driven && now < due_)
            throw BrokenRule("the flash's pins are driven though the host has them", now);
        if (taken_ && now == taken_ + kReleaseCycles + 1 && random.chance(0.5)) flash.sleep();
        if (request && !grants_ && grant_cycles_ >= 0) grant(random, now);
        return grants_;
    }

private:
    static constexpr uint64_t kReleaseCycles = 6;  // from grant low to all pins free

    void take(Chance& random, uint64_t now) {
        grants_ = false, taken_ = now, due_ = now + 8 + random.about(200), times_taken_++;
    }

    void grant(Chance& random, uint64_t now) {
        if (!due_) due_ = now + random.about(grant_cycles_);
        if (now < due_) return;
        grants_ = true, taken_ = 0, due_ = 0;
        until_ = hold_cycles_ > 0 ? now + random.about(hold_cycles_) : 0;
    }

    double grant_cycles_, hold_cycles_;
    bool grants_ = false;
    uint64_t until_ = 0, taken_ = 0, due_ = 0, times_taken_ = 0;
};

// The design's pins as they are from a rising edge of its clock on, and what it gets in that cycle.
struct FlashPins {
    bool request, driven, cs_n, sck_en;
    unsigned o, oe;
};
struct FlashInputs {
    bool grant = false;
    unsigned i = 0;
};

class FlashBoard {
public:
    // `contents` repeat up to the end of the address space.
    FlashBoard(const FlashPlan& plan, std::vector<uint8_t> contents)
        : delay_(plan.delay_cycles), socket_(plan.socket), error_rate_(plan.error_rate), random_(plan.seed),
          flash_(std::move(contents), plan.quad), host_(plan) {}

    FlashCounts counts() const { return {wrong_bits_, flash_.reads(), host_.taken()}; }
    Chance& random() { return random_; }

    FlashInputs cycle(const FlashPins& pins, uint64_t now) {
        const bool selected = pins.driven && !pins.cs_n;
        if (flash_.selected() && !selected) flash_.deselect(now);
        if (!flash_.selected() && selected) flash_.select();
        check(pins, now);
        if (line_.size() > delay_) level_ = line_.front(), line_.pop_front();
        const unsigned i = (level_ & ~pins.oe) | (pins.o & pins.oe);
        line_.push_back(next(pins, selected, now));
        return {host_.cycle(pins.request, pins.driven, flash_, random_, now), i};
    }

private:
    void check(const FlashPins& pins, uint64_t now) const {
        if (pins.oe & flash_.drives()) throw BrokenRule("FPGA and flash drive the same line", now);
        if (pins.sck_en && !pins.driven) throw BrokenRule("SCK without the flash's pins", now);
    }

    unsigned next(const FlashPins& pins, bool selected, uint64_t now) {
        if (!selected || socket_ != Socket::kFlash) return floating();
        if (!pins.sck_en) return line_.empty() ? level_ : line_.back();
        unsigned io = 0;
        flash_.rising(pins.o & pins.oe, now);
        const unsigned drives = flash_.falling(io);
        io = (io & drives) | (floating() & ~drives);
        return error_rate_ > 0 ? spoilt(io, drives) : io;
    }

    unsigned spoilt(unsigned io, unsigned drives) {
        for (unsigned bit = 1; bit < 16; bit <<= 1)
            if (random_.chance(error_rate_)) io ^= bit, wrong_bits_ += (drives & bit) != 0;
        return io;
    }

    unsigned floating() {
        switch (socket_) {
            case Socket::kPulledUp: return 15;
            case Socket::kPulledDown: return 0;
            default: return random_.nibble();
        }
    }

    unsigned delay_;
    Socket socket_;
    double error_rate_;
    Chance random_;
    Flash flash_;
    FlashHost host_;
    unsigned level_ = 0;
    std::deque<unsigned> line_;
    uint64_t wrong_bits_ = 0;
};
