// A stand-in for the accelerator with its ports and registers: it copies words, XOR a5a5a5a5, in place of inference.
// For the tests of the harness. A program is 4 words: count (0 never ends), source (or 0x10000: the stream ring),
// destination, words of a layer; bits 16-19 of the last are the error it ends with. Macros give register addresses.
module accelerator (
    input clk, input reset,
    input bus_valid, input bus_write, input [15:0] bus_addr, input [31:0] bus_wdata,
    output bus_ready, output reg [31:0] bus_rdata,
    output reg [7:0] layer, output reg busy, output irq,
    output flash_request, output flash_driven, input flash_grant, output flash_cs_n, output flash_sck_en,
    output [3:0] flash_o, output [3:0] flash_oe, input [3:0] flash_i
);
    reg [31:0] memory [0:32767];
    reg [14:0] program_address;
    reg [31:0] ring_base, ring_blocks, cycles, count, source, target, per_layer, position, in_layer, committed, held, waits;
    reg [2:0] state;  // 0 idle, 1..4 read the program, 5 read a word, 6 write it, 7 paused
    reg [3:0] error;
    reg single_step, irq_enable, done;

    assign bus_ready = !(busy && !bus_addr[15] && waits[1:0] == 3);  // refuses memory now and then
    assign irq = irq_enable && error != 0;
    assign {flash_request, flash_driven, flash_cs_n, flash_sck_en, flash_o, flash_oe} = {2'b0, 1'b1, 1'b0, 4'b0, 4'b0};

    wire streams = source[16];
    wire waiting = streams && position >= committed * 64;
    wire [31:0] from = streams ? ring_base + position % (ring_blocks * 64) : source + position;
    wire [31:0] free = ring_blocks - (committed - position / 64);
    wire accepted = bus_valid && bus_ready;
    wire control = accepted && bus_write && bus_addr == `CONTROL;
    wire layer_over = in_layer + 1 == {16'd0, per_layer[15:0]};

    always @(posedge clk) begin
        waits <= reset ? 0 : waits + 1;
        if (accepted && !bus_write) case (bus_addr)
            `ID: bus_rdata <= 32'h4e435341;
            `STATUS: bus_rdata <= {7'd0, free[8:0], layer, error, 1'b0, state == 7, done, busy};
            `CYCLES: bus_rdata <= cycles;
            default: bus_rdata <= bus_addr[15] ? 32'd0 : memory[bus_addr[14:0]];
        endcase
        if (accepted && bus_write) case (bus_addr)
            `PROGRAM: program_address <= bus_wdata[14:0];
            `RING_BASE: ring_base <= bus_wdata;
            `RING_BLOCKS: ring_blocks <= bus_wdata;
            `RING_COMMIT: committed <= committed + bus_wdata;
            `CONTROL: {irq_enable, single_step} <= bus_wdata[9:8];
            default: if (!bus_addr[15]) memory[bus_addr[14:0]] <= bus_wdata;
        endcase
        if (reset) begin
            state <= 0; busy <= 0; done <= 0; layer <= 0; error <= 0; cycles <= 0; ring_blocks <= 1; committed <= 0;
            position <= 0; irq_enable <= 0;
        end else if (control && bus_wdata[0]) begin
            state <= 1; busy <= 1; done <= 0; layer <= 0; cycles <= 0; position <= 0; in_layer <= 0; committed <= 0;
            error <= 0;
        end else if (busy) begin
            cycles <= cycles + 1;
            case (state)
                1: begin count <= memory[program_address]; state <= 2; end
                2: begin source <= memory[program_address + 15'd1]; state <= 3; end
                3: begin target <= memory[program_address + 15'd2]; state <= 4; end
                4: begin per_layer <= memory[program_address + 15'd3]; state <= 5; end
                5: if (!waiting && count != 0) begin held <= memory[from[14:0]]; state <= 6; end
                6: begin
                    memory[target[14:0] + position[14:0]] <= held ^ 32'ha5a5a5a5;
                    position <= position + 1;
                    in_layer <= layer_over ? 0 : in_layer + 1;
                    if (layer_over) layer <= layer + 1;
                    state <= layer_over && single_step ? 7 : 5;
                    if (position + 1 == count) begin
                        busy <= 0; done <= per_layer[19:16] == 0; error <= per_layer[19:16]; state <= 0;
                    end
                end
                7: if (control && bus_wdata[2]) state <= 5;
                default: state <= 0;
            endcase
        end
    end
endmodule
