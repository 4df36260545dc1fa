// The host's side of the stream ring: words into the ring's memory, then RING_COMMIT, while the engine runs.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "machine.h"

struct FeedPlan {
    uint16_t ring = 0;         // word address of the ring
    uint16_t ring_words = 0;   // a whole number of blocks
    uint16_t block_words = 0;  // words of a block
    uint16_t free_address = 0;      // a register whose bits of free_mask are 0 while the ring is full
    uint32_t free_mask = 0;
    uint16_t commit_address = 0;    // a register to which commit_value is written for each block
    uint32_t commit_value = 0;
    uint32_t cycles_per_word_256 = 0;  // the source's rate, in 1/256 cycles for a word
    std::vector<uint32_t> words;       // the stream, whole blocks
};

// Gives the bus's access for each cycle. It asks for room before each block, never writes a word earlier than the
// rate allows, and catches nothing up: time that it lost to a full ring stays lost, as with a paused flash.
class RingFeed {
public:
    void plan(FeedPlan plan) { plan_ = std::move(plan); }

    void start(uint64_t cycle) {
        state_ = plan_.words.empty() ? State::kFinished : State::kAsk;
        next_ = position_ = 0;
        full_cycles_ = 0;
        due_256_ = could_256_ = cycle << 8;
    }

    Access access(uint64_t cycle) const {
        switch (state_) {
            case State::kAsk: return {true, false, plan_.free_address, 0};
            case State::kFill:
                if (due_256_ > cycle << 8) return {};
                return {true, true, static_cast<uint16_t>(plan_.ring + position_), plan_.words[next_]};
            case State::kCommit: return {true, true, plan_.commit_address, plan_.commit_value};
            default: return {};
        }
    }

    // What the cycle brought: was the access accepted, and the data of the read before it.
    void after(bool accepted, uint32_t read_data, uint64_t cycle) {
        switch (state_) {
            case State::kAsk:
                if (accepted) state_ = State::kAnswer;
                break;
            case State::kAnswer:
                answered(read_data & plan_.free_mask, cycle);
                break;
            case State::kFill:
                if (accepted) word_written(cycle);
                break;
            case State::kCommit:
                if (accepted) state_ = next_ == plan_.words.size() ? State::kFinished : State::kAsk;
                break;
            case State::kFinished: break;
        }
    }

    uint32_t words_fed() const { return next_; }
    uint64_t full_cycles() const { return full_cycles_; }

private:
    enum class State { kAsk, kAnswer, kFill, kCommit, kFinished };

    void answered(bool room, uint64_t cycle) {
        could_256_ = cycle + 1 << 8;
        state_ = room ? State::kFill : State::kAsk;
        full_cycles_ += room ? 0 : 2;  // a question takes two cycles
    }

    void word_written(uint64_t cycle) {
        // From when it could have been offered: the bus's own time for it is no delay.
        due_256_ = std::max(due_256_, could_256_) + plan_.cycles_per_word_256;
        could_256_ = cycle + 1 << 8;
        ++next_;
        position_ = (position_ + 1) % plan_.ring_words;
        if (next_ % plan_.block_words == 0) state_ = State::kCommit;
    }

    FeedPlan plan_;
    State state_ = State::kFinished;
    uint32_t next_ = 0;      // word of the stream
    uint32_t position_ = 0;  // word of the ring
    uint64_t due_256_ = 0;    // when the next word's turn is
    uint64_t could_256_ = 0;  // when the bus was free for it
    uint64_t full_cycles_ = 0;
};
