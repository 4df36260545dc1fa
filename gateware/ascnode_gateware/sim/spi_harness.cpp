// The accelerator behind its SPI port as a process: reads commands on stdin, answers on stdout (wire.h). Python drives
// it (spi_device.py); it knows neither frames nor registers.
#include <cstdint>
#include <cstdlib>

#include "spi_machine.h"
#include "wire.h"

// Verilator's runtime asks for simulated time; nothing here uses delays.
double sc_time_stamp() { return 0; }

namespace {

class Harness {
public:
    explicit Harness(uint32_t seed) : machine_(seed) {}

    void answer(const Request& request, Writer& reply) {
        Reader payload(request.payload);
        switch (request.command) {
            case 'Z': return machine_.reset(payload.take<uint32_t>());
            case 'K': return clocking(payload);
            case 'X': return machine_.transfer(request.payload, reply);
            case 'O': return machine_.select();
            case 'Y': return machine_.exchange(request.payload, reply);
            case 'P': return machine_.deselect();
            case 'T': return wait(payload.take<uint64_t>(), reply);
            case 'H': return reply.put<uint8_t>(machine_.holds_flash());
            case 'I': return await_irq(payload.take<uint64_t>(), reply);
            case 'C': return machine_.clock(payload.take<uint32_t>());
            case 'F': return machine_.board().plug(payload);
            case 'E': return machine_.board().tell(reply);
            default: throw Refused("there is no such command");
        }
    }

private:
    void clocking(Reader& payload) {
        const double ratio = payload.take<double>(), phase = payload.take<double>();
        machine_.clocking(ratio, phase, payload.take<uint32_t>());
    }

    void wait(uint64_t cycles, Writer& reply) {
        machine_.clock(cycles);
        reply.put<uint8_t>(machine_.irq());
    }

    void await_irq(uint64_t cycles, Writer& reply) {
        reply.put<uint32_t>(machine_.await_irq(cycles));
        reply.put<uint64_t>(machine_.cycle());
    }

    SpiMachine machine_;
};

}  // namespace

int main(int argc, char** argv) {
    Harness harness(argc > 1 ? static_cast<uint32_t>(std::strtoul(argv[1], nullptr, 10)) : 1);
    serve(harness);
    return 0;
}
