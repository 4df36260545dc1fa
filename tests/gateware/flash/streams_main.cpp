// Runs many streams through module flash_stream with a flash, a host and a ring around it, all random from a seed.
//
// Arguments: name=value, see Plan. Standard input: the flash's contents. Standard output, for each stream: error,
// CRC errors, commits, cycles, words (uint32 each), then the committed words. A broken rule ends it with a message.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "Vflash_stream.h"
#include "flash.h"
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

[[noreturn]] void broken(const char* rule, uint64_t cycle) { throw BrokenRule(rule, cycle); }

// The plan's part that concerns the board.
FlashPlan board_plan(const Plan& plan) {
    FlashPlan board;
    board.seed = static_cast<uint64_t>(plan["seed"]);
    board.delay_cycles = static_cast<uint32_t>(plan["delay"]);
    board.socket = static_cast<Socket>(static_cast<uint32_t>(plan["absent"]));
    board.quad = plan["quad"] != 0;
    board.error_rate = plan["error_rate"];
    board.grant_cycles = plan["grant_wait"];
    board.hold_cycles = plan["hold"];
    return board;
}

class Ring {
public:
    Ring(const Plan& plan, Chance& random) : plan_(plan), random_(random) {}
    bool ready(bool valid) {
        waited_ = valid ? waited_ + 1 : 0;
        if (waited_ <= plan_["late"]) return false;
        bool full = plan_["use"] && readable_ >= plan_["ring"];
        return !full && !random_.chance(plan_["stall"]);
    }
    void cycle(Vflash_stream& top, bool taken, uint64_t now) {
        if (taken) pending_.push_back(top.fill_data);
        if (top.fill_valid && (top.fill_commit || top.fill_restart)) broken("commit or restart with valid", now);
        if (top.fill_commit && top.fill_restart) broken("commit and restart at once", now);
        if (top.fill_restart) pending_.clear();
        if (top.fill_commit) commit(now);
        if (pending_.size() > 64) broken("more than 64 words without a commit", now);
        if (plan_["use"] && readable_ && random_.chance(1 / plan_["use"])) readable_--;
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
    Chance& random_;
    std::vector<uint32_t> pending_;
    double readable_ = 0, waited_ = 0;
};

class Bench {
public:
    Bench(const Plan& plan, std::vector<uint8_t> contents)
        : plan_(plan), board_(board_plan(plan), std::move(contents)) {
        top_.enable = 1, top_.reset = 1, top_.address = plan["address"], top_.blocks = plan["blocks"];
        top_.sample_delay = plan["sample_delay"];
        for (int i = 0; i < 4; i++) tick();
        top_.reset = 0;
    }
    void stream() {
        Ring ring(plan_, board_.random());
        ring_ = &ring;
        uint32_t crc_errors = 0;
        uint64_t begun = now_, abort_at = plan_["abort"] ? now_ + board_.random().about(plan_["abort"]) : 0;
        bool by_enable = board_.random().chance(0.5);
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
        const FlashInputs inputs = board_.cycle(
            {bool(top_.flash_request), bool(top_.flash_driven), bool(top_.flash_cs_n), bool(top_.flash_sck_en),
             top_.flash_o, top_.flash_oe},
            now_);
        top_.grant = inputs.grant, top_.flash_i = inputs.i;
        top_.fill_ready = ring_ ? ring_->ready(top_.fill_valid) : 0;
        top_.clk = 0, top_.eval();
        bool taken = top_.fill_valid && top_.fill_ready;
        if (ring_) ring_->cycle(top_, taken, now_);
        top_.clk = 1, top_.eval();
        now_++;
    }

    const Plan& plan_;
    Vflash_stream top_;
    FlashBoard board_;
    Ring* ring_ = nullptr;
    uint64_t now_ = 0;
};

int main(int argc, char** argv) {
    Plan plan;
    for (int i = 1; i < argc; i++) {
        const char* equals = strchr(argv[i], '=');
        if (!equals) return 2;
        plan.values.at(std::string(argv[i], equals - argv[i])) = atof(equals + 1);
    }
    Verilated::randReset(0);
    std::vector<uint8_t> contents{std::istreambuf_iterator<char>(std::cin), {}};
    try {
        Bench bench(plan, contents);
        for (int i = 0; i < plan["streams"]; i++) bench.stream();
    } catch (const BrokenRule& rule) {
        fprintf(stderr, "%s\n", rule.what());
        return 1;
    }
}
