// What the harness has on the accelerator's flash pins: nothing, or a flash and a host that shares it.
#pragma once

#include <cstdint>
#include <optional>

#include "flash.h"
#include "wire.h"

class Board {
public:
    // A flash, in place of one that was there before: the plan's fields, then the flash's contents.
    void plug(Reader& payload) {
        FlashPlan plan;
        plan.seed = payload.take<uint64_t>();
        plan.delay_cycles = payload.take<uint32_t>();
        plan.socket = static_cast<Socket>(payload.take<uint32_t>());
        plan.quad = payload.take<uint32_t>() != 0;
        plan.error_rate = payload.take<double>();
        plan.grant_cycles = payload.take<double>();
        plan.hold_cycles = payload.take<double>();
        flash_.emplace(plan, payload.rest());
    }

    void tell(Writer& reply) const {
        const FlashCounts counts = flash_ ? flash_->counts() : FlashCounts();
        reply.put<uint64_t>(counts.wrong_bits);
        reply.put<uint64_t>(counts.reads);
        reply.put<uint64_t>(counts.taken);
    }

    // Between a rising edge of the clock, whose outcome is on the outputs, and the next: drives the inputs.
    template <typename Top> void cycle(Top& top, uint64_t now) {
        FlashInputs inputs;
        if (flash_) inputs = flash_->cycle(outputs(top), now);
        top.flash_grant = inputs.grant;
        top.flash_i = inputs.i;
    }

private:
    template <typename Top> static FlashPins outputs(const Top& top) {
        return {bool(top.flash_request), bool(top.flash_driven), bool(top.flash_cs_n), bool(top.flash_sck_en),
                top.flash_o, top.flash_oe};
    }

    std::optional<FlashBoard> flash_;
};
