// Runs many streams through module flash_stream with a flash, a host and a ring around it, all random from a seed.
//
// Arguments: name=value, see Plan. Standard input: the flash's contents. Standard output, for each stream: error,
// CRC errors, commits, cycles, words (uint32 each), then the committed words. A broken rule ends it with a message.
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <iterator>
#include <iostream>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "Vflash_stream.h"
#include "verilated.h"

struct Plan {
    std::map<std::string, double> values{
        {"seed", 1},          {"streams", 1},       {"address", 0},      {"blocks", 1},
        {"delay", 0},         // cycles that a nibble needs from the flash, beyond the first
        {"sample_delay", 0},  // what the streamer is told of it
        {"error_rate", 0},    // of a bit from the flash
        {"absent", 0},        // what the bus reads: 1 ones, 2 zeros, 3 noise
        {"quad", 1},          // bit QE
        {"grant_wait", 4},    // mean cycles until a request is granted; negative: never
        {"hold", 0},          // mean cycles until a grant is taken away; 0 never
        {"stall", 0},         // probability of a cycle in which the ring's memory is busy
        {"late", 0},          // cycles that every word waits
        {"ring", 4},          // blocks of the ring
        {"use", 300},         // mean cycles in which the engine uses up a block; 0: the ring is never full
        {"abort", 0},         // mean cycles until an abort; 0 never
        {"limit", 4e6},       // cycles of a stream at most
    };
    double operator[](const std::string& name) const { return values.at(name); }
};

[[noreturn]] void broken(const char* rule, uint64_t cycle) {
    fprintf(stderr, "cycle %llu: %s\n", (unsigned long long)cycle, rule);
    exit(1);
}

std::mt19937_64 rng;
bool chance(double p) { return p > 0 && std::uniform_real_distribution<>(0, 1)(rng) < p; }
uint64_t about(double mean) { return mean <= 0 ? 0 : 1 + std::exponential_distribution<>(1 / mean)(rng); }

// W25Q32JV as far as the streamer uses it; SCK pulses come one a cycle.
class Flash {
public:
    Flash(std::vector<uint8_t> contents, bool quad) : contents_(std::move(contents)), quad_(quad) {}
    void sleep() { asleep_ = true; }
    void deselect(uint64_t cycle) {
        if (selected_ && bits_ >= 8 && opcode_ == 0xab) asleep_ = false, awake_from_ = cycle + WAKE_CYCLES;
        selected_ = false, drives_ = 0;
    }
    void select() { selected_ = true, bits_ = 0, shift_ = 0, drives_ = 0; }
    void rising(unsigned io, uint64_t cycle) {
        shift_ = shift_ << 1 | (io & 1), bits_++;
        if (bits_ == 8) opcode_ = shift_, obeys_ = opcode_ == 0xab || (!asleep_ && cycle >= awake_from_);
        if (bits_ == 32) address_ = (shift_ & 0xffffff) * 2;
    }
    // The falling edge; returns the lines driven, and sets `io`.
    unsigned falling(unsigned& io) {
        if (!obeys_ || bits_ < 8) return drives_ = 0;
        unsigned since = bits_ - 8;
        if (opcode_ == 0x9f && since < 24) return one(0xef4016 >> (23 - since), io);
        if (opcode_ == 0x35) return one((quad_ ? 0x02 : 0) >> (7 - since % 8), io);
        if (opcode_ == 0x6b && quad_ && bits_ >= 40) {
            uint8_t byte = contents_[address_ / 2 % contents_.size()];
            io = address_++ & 1 ? byte & 15 : byte >> 4;
            return drives_ = 15;
        }
        return drives_ = 0;
    }
    unsigned drives() const { return drives_; }
    bool selected() const { return selected_; }

private:
    static constexpr uint64_t WAKE_CYCLES = 84;  // tRES1, 3 us, at 28 MHz
    unsigned one(unsigned bits, unsigned& io) {
        io = (bits & 1) << 1;
        return drives_ = 2;
    }
    std::vector<uint8_t> contents_;
    bool quad_, asleep_ = true, selected_ = false, obeys_ = false;
    uint64_t awake_from_ = 0;
    unsigned bits_ = 0, shift_ = 0, opcode_ = 0, drives_ = 0;
    size_t address_ = 0;
};

// The host grants the pins, takes them back, and may leave the flash asleep.
class Host {
public:
    Host(const Plan& plan) : plan_(plan) {}
    bool cycle(bool request, bool driven, Flash& flash, uint64_t now) {
        if (!request) grants_ = false, due_ = 0;
        if (grants_ && until_ && now >= until_) grants_ = false, taken_ = now, due_ = now + 8 + about(200);
        if (!grants_ && taken_ && now > taken_ + RELEASE_CYCLES && driven && now < due_)
            broken("the pins are driven though the host has them", now);
        if (taken_ && now == taken_ + RELEASE_CYCLES + 1 && chance(0.5)) flash.sleep();
        if (request && !grants_ && plan_["grant_wait"] >= 0) {
            if (!due_) due_ = now + about(plan_["grant_wait"]);
            if (now >= due_) grants_ = true, taken_ = 0, due_ = 0, until_ = plan_["hold"] ? now + about(plan_["hold"]) : 0;
        }
        return grants_;
    }

private:
    static constexpr uint64_t RELEASE_CYCLES = 6;  // from grant low to all pins free
    const Plan& plan_;
    bool grants_ = false;
    uint64_t until_ = 0, taken_ = 0, due_ = 0;
};

class Ring {
public:
    Ring(const Plan& plan) : plan_(plan) {}
    bool ready(bool valid) {
        waited_ = valid ? waited_ + 1 : 0;
        if (waited_ <= plan_["late"]) return false;
        bool full = plan_["use"] && readable_ >= plan_["ring"];
        return !full && !chance(plan_["stall"]);
    }
    void cycle(Vflash_stream& top, bool taken, uint64_t now) {
        if (taken) pending_.push_back(top.fill_data);
        if (top.fill_valid && (top.fill_commit || top.fill_restart)) broken("commit or restart with valid", now);
        if (top.fill_commit && top.fill_restart) broken("commit and restart at once", now);
        if (top.fill_restart) pending_.clear();
        if (top.fill_commit) commit(now);
        if (pending_.size() > 64) broken("more than 64 words without a commit", now);
        if (plan_["use"] && readable_ && chance(1 / plan_["use"])) readable_--;
    }
    std::vector<uint32_t> words;
    uint32_t commits = 0;

private:
    void commit(uint64_t now) {
        if (pending_.size() != 64) broken("a commit without 64 words", now);
        words.insert(words.end(), pending_.begin(), pending_.end());
        pending_.clear(), commits++, readable_++;
    }
    const Plan& plan_;
    std::vector<uint32_t> pending_;
    double readable_ = 0, waited_ = 0;
};

class Bench {
public:
    Bench(const Plan& plan, std::vector<uint8_t> contents)
        : plan_(plan), flash_(std::move(contents), plan["quad"]), host_(plan) {
        top_.enable = 1, top_.reset = 1, top_.address = plan["address"], top_.blocks = plan["blocks"];
        top_.sample_delay = plan["sample_delay"];
        for (int i = 0; i < 4; i++) tick();
        top_.reset = 0;
    }
    void stream() {
        Ring ring(plan_);
        ring_ = &ring;
        uint32_t crc_errors = 0;
        uint64_t begun = now_, abort_at = plan_["abort"] ? now_ + about(plan_["abort"]) : 0;
        bool by_enable = chance(0.5);
        top_.start = 1, tick(), top_.start = 0;
        while (top_.busy) {
            if (now_ - begun > plan_["limit"]) broken("the stream does not end", now_);
            if (abort_at && now_ >= abort_at) end_early(by_enable);
            tick();
            crc_errors += top_.crc_error;
        }
        uint32_t cycles = now_ - begun;
        for (int i = 0; i < 8; i++) tick();
        if (top_.flash_driven || top_.flash_oe || top_.flash_request) broken("pins are driven after the end", now_);
        uint32_t head[] = {top_.error, crc_errors, ring.commits, cycles, uint32_t(ring.words.size())};
        fwrite(head, sizeof head, 1, stdout);
        fwrite(ring.words.data(), 4, ring.words.size(), stdout);
        ring_ = nullptr;
    }

private:
    void end_early(bool by_enable) {
        (by_enable ? top_.enable : top_.__SYM__abort) = !by_enable;
        tick();
        top_.enable = 1, top_.__SYM__abort = 0;
        if (top_.busy) broken("an abort does not end the stream", now_);
    }
    // One cycle, from just after a rising edge to just after the next.
    void tick() {
        pins();
        top_.grant = host_.cycle(top_.flash_request, top_.flash_driven, flash_, now_);
        top_.fill_ready = ring_ ? ring_->ready(top_.fill_valid) : 0;
        top_.clk = 0, top_.eval();
        bool taken = top_.fill_valid && top_.fill_ready;
        if (ring_) ring_->cycle(top_, taken, now_);
        top_.clk = 1, top_.eval();
        now_++;
    }
    void pins() {
        bool selected = top_.flash_driven && !top_.flash_cs_n;
        if (flash_.selected() && !selected) flash_.deselect(now_);
        if (!flash_.selected() && selected) flash_.select();
        if (top_.flash_oe & flash_.drives()) broken("FPGA and flash drive the same line", now_);
        if (top_.flash_sck_en && !top_.flash_driven) broken("SCK without the pins", now_);
        if (line_.size() > plan_["delay"]) level_ = line_.front(), line_.pop_front();
        top_.flash_i = (level_ & ~top_.flash_oe) | (top_.flash_o & top_.flash_oe);
        unsigned io = 0, drives = flash_.drives();
        unsigned next = line_.empty() ? level_ : line_.back();
        if (selected && top_.flash_sck_en) {
            flash_.rising(top_.flash_o & top_.flash_oe, now_);
            drives = flash_.falling(io);
            next = (io & drives) | (floating() & ~drives);
            for (int bit = 0; bit < 4; bit++) next ^= chance(plan_["error_rate"]) << bit;
        } else if (!selected) {
            next = floating();
        }
        line_.push_back(absent() ? floating() : next);
    }
    bool absent() const { return plan_["absent"] != 0; }
    unsigned floating() { return plan_["absent"] == 1 ? 15 : plan_["absent"] == 2 ? 0 : rng() & 15; }

    const Plan& plan_;
    Vflash_stream top_;
    Flash flash_;
    Host host_;
    Ring* ring_ = nullptr;
    uint64_t now_ = 0;
    unsigned level_ = 0;
    std::deque<unsigned> line_;
};

int main(int argc, char** argv) {
    Plan plan;
    for (int i = 1; i < argc; i++) {
        const char* equals = strchr(argv[i], '=');
        if (!equals) return 2;
        plan.values.at(std::string(argv[i], equals - argv[i])) = atof(equals + 1);
    }
    rng.seed(plan["seed"]);
    Verilated::randReset(0);
    std::vector<uint8_t> contents{std::istreambuf_iterator<char>(std::cin), {}};
    Bench bench(plan, contents);
    for (int i = 0; i < plan["streams"]; i++) bench.stream();
}
