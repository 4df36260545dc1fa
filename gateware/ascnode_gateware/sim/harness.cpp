// The simulated accelerator as a process: reads commands on stdin, answers on stdout (wire.h). Python drives it
// (process.py); it knows neither registers nor programs.
#include <cstdint>
#include <cstdlib>
#include <exception>
#include <string>
#include <vector>

#include "machine.h"
#include "ring_feed.h"
#include "wire.h"

// Verilator's runtime asks for simulated time; nothing here uses delays.
double sc_time_stamp() { return 0; }

namespace {

struct LayerChange {
    uint32_t layer;
    uint64_t cycle;
};

enum Ending : uint32_t { kIdle = 0, kInterrupt = 1, kLimit = 2, kLayer = 3 };
enum Flag : uint32_t { kStopAtLayer = 1, kSameRun = 2 };

// Busy rises, and what the run before left falls, within these cycles of the start.
constexpr uint64_t kSettleCycles = 4;

class Harness {
public:
    explicit Harness(uint32_t seed) : machine_(seed) {}

    void answer(const Request& request, Writer& reply) {
        Reader payload(request.payload);
        switch (request.command) {
            case 'Z': return machine_.reset(payload.take<uint32_t>());
            case 'W': return write(payload);
            case 'R': return read(payload, reply);
            case 'S': return stream(payload);
            case 'F': return machine_.board().plug(payload);
            case 'E': return machine_.board().tell(reply);
            case 'G': return go(payload, reply);
            case 'C': return wait(payload.take<uint32_t>());
            default: throw Refused("there is no such command");
        }
    }

private:
    void write(Reader& payload) {
        uint32_t address = payload.take<uint32_t>();
        for (uint32_t word : payload.words()) machine_.write(static_cast<uint16_t>(address++), word);
    }

    void read(Reader& payload, Writer& reply) {
        const uint32_t address = payload.take<uint32_t>();
        machine_.read(static_cast<uint16_t>(address), payload.take<uint32_t>(), reply);
    }

    void wait(uint32_t cycles) {
        while (cycles--) machine_.clock({});
    }

    void stream(Reader& payload) {
        FeedPlan plan;
        plan.ring = static_cast<uint16_t>(payload.take<uint32_t>());
        plan.ring_words = static_cast<uint16_t>(payload.take<uint32_t>());
        plan.block_words = static_cast<uint16_t>(payload.take<uint32_t>());
        plan.free_address = static_cast<uint16_t>(payload.take<uint32_t>());
        plan.free_mask = payload.take<uint32_t>();
        plan.commit_address = static_cast<uint16_t>(payload.take<uint32_t>());
        plan.commit_value = payload.take<uint32_t>();
        plan.cycles_per_word_256 = payload.take<uint32_t>();
        plan.words = payload.words();
        const bool blocks = plan.block_words && plan.words.size() % plan.block_words == 0;
        const bool ring = plan.ring_words && plan.block_words && plan.ring_words % plan.block_words == 0;
        if (!plan.words.empty() && !(blocks && ring)) throw Refused("a stream or its ring is not a whole number of blocks");
        feed_.plan(std::move(plan));
    }

    // Writes a register that starts or resumes, then clocks until the engine is idle, it interrupts, its layer
    // counter changes (kStopAtLayer), or the limit. Cycle 0 is the one after the write was accepted. kSameRun: the
    // stream goes on where it was.
    void go(Reader& payload, Writer& reply) {
        const auto address = static_cast<uint16_t>(payload.take<uint32_t>());
        const uint32_t value = payload.take<uint32_t>();
        const uint32_t flags = payload.take<uint32_t>();
        const uint64_t limit = payload.take<uint64_t>();
        const uint64_t refused = machine_.refused();
        uint32_t layer = flags & kSameRun ? machine_.layer() : 0;
        machine_.write(address, value);
        const uint64_t start = machine_.cycle();
        if (!(flags & kSameRun)) feed_.start(start);
        std::vector<LayerChange> changes;
        const Ending ending = run(start, limit, flags & kStopAtLayer, layer, changes);
        const uint64_t end = machine_.cycle();
        // The feed may have stopped inside an access, which is not the next one's beginning, or before its answer.
        machine_.clock({});
        feed_.after(false, machine_.read_data(), end);
        reply.put<uint32_t>(ending);
        reply.put<uint32_t>(feed_.words_fed());
        reply.put<uint64_t>(end - start);
        reply.put<uint64_t>(feed_.full_cycles());
        reply.put<uint64_t>(machine_.refused() - refused);
        for (const LayerChange& change : changes) {
            reply.put<uint64_t>(change.cycle);
            reply.put<uint32_t>(change.layer);
        }
    }

    Ending run(uint64_t start, uint64_t limit, bool stop_at_layer, uint32_t layer, std::vector<LayerChange>& changes) {
        for (uint64_t cycle = start; cycle - start < limit; ++cycle) {
            const bool accepted = machine_.clock(feed_.access(cycle));
            feed_.after(accepted, machine_.read_data(), cycle);
            if (cycle - start < kSettleCycles) continue;
            if (machine_.layer() != layer) {
                changes.push_back({layer = machine_.layer(), cycle - start});
                if (stop_at_layer) return kLayer;
            }
            if (machine_.irq()) return kInterrupt;
            if (!machine_.busy()) return kIdle;
        }
        return kLimit;
    }

    Machine machine_;
    RingFeed feed_;
};

}  // namespace

int main(int argc, char** argv) {
    Harness harness(argc > 1 ? static_cast<uint32_t>(std::strtoul(argv[1], nullptr, 10)) : 1);
    serve(harness);
    return 0;
}
