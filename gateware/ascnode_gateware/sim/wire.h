// Frames between Python and the harness, little endian on the machines we build for:
// request = command byte, u32 length, payload; reply = status byte (0 good, 1 refused), u32 length, payload or text.
#pragma once

#include <poll.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

struct Refused : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Reader {
public:
    explicit Reader(const std::vector<uint8_t>& bytes) : bytes_(bytes) {}

    template <typename T> T take() {
        T value;
        need(sizeof value);
        std::memcpy(&value, bytes_.data() + at_, sizeof value);
        at_ += sizeof value;
        return value;
    }

    std::vector<uint8_t> rest() {
        std::vector<uint8_t> bytes(bytes_.begin() + at_, bytes_.end());
        at_ = bytes_.size();
        return bytes;
    }

    std::vector<uint32_t> words() {
        if ((bytes_.size() - at_) % 4) throw Refused("a payload does not end with a whole word");
        std::vector<uint32_t> words((bytes_.size() - at_) / 4);
        if (!words.empty()) std::memcpy(words.data(), bytes_.data() + at_, words.size() * 4);
        at_ = bytes_.size();
        return words;
    }

private:
    void need(size_t count) const {
        if (bytes_.size() - at_ < count) throw Refused("a command's payload is too short");
    }

    const std::vector<uint8_t>& bytes_;
    size_t at_ = 0;
};

class Writer {
public:
    template <typename T> void put(T value) {
        const auto* from = reinterpret_cast<const uint8_t*>(&value);
        bytes_.insert(bytes_.end(), from, from + sizeof value);
    }

    const std::vector<uint8_t>& bytes() const { return bytes_; }

private:
    std::vector<uint8_t> bytes_;
};

struct Request {
    char command;
    std::vector<uint8_t> payload;
};

// False at the end of the input, which is how Python ends the harness.
inline bool receive(Request& request) {
    uint32_t length;
    if (std::fread(&request.command, 1, 1, stdin) != 1) return false;
    if (std::fread(&length, 4, 1, stdin) != 1) return false;
    request.payload.resize(length);
    return length == 0 || std::fread(request.payload.data(), 1, length, stdin) == length;
}

inline void send(uint8_t status, const void* bytes, uint32_t length) {
    std::fwrite(&status, 1, 1, stdout);
    std::fwrite(&length, 4, 1, stdout);
    std::fwrite(bytes, 1, length, stdout);
    std::fflush(stdout);
}

// Ends the harness when Python has gone: to be asked now and then in what takes long.
inline void leave_when_alone() {
    pollfd input{0, 0, 0};
    if (poll(&input, 1, 0) > 0 && input.revents & (POLLHUP | POLLERR)) std::_Exit(0);
}

// Answers requests until the input ends.
template <typename Harness> void serve(Harness& harness) {
    Request request;
    while (receive(request)) {
        Writer reply;
        try {
            harness.answer(request, reply);
            send(0, reply.bytes().data(), static_cast<uint32_t>(reply.bytes().size()));
        } catch (const std::runtime_error& refused) {
            const std::string text = refused.what();
            send(1, text.data(), static_cast<uint32_t>(text.size()));
        }
    }
}
