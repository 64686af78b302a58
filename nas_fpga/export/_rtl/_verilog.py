"""The wrapper in Verilog-2001 and its test bench in SystemVerilog."""

from __future__ import annotations

from nas_fpga.export._rtl._interface import Interface
from nas_fpga.export._text import comment


def wrapper(ports: Interface) -> str:
    """Return the module that board firmware instantiates."""
    last = ports.latency_cycles - 1
    width = ports.outputs[0].bits
    declarations = [
        "input  wire clk",
        "input  wire rst,  // synchronous; clears the valid chain only, data needs no reset",
        "input  wire in_valid",
        f"input  wire [{ports.in_bits - 1}:0] in_data",
    ]
    if ports.decision == "register":
        declarations.append(f"input  wire signed [{width - 1}:0] threshold,  // a static register; taken every cycle")
    declarations += ["output wire out_valid", f"output wire [{ports.out_bits - 1}:0] out_data"]
    if ports.decision != "none":
        declarations.append("output wire decision")
    net_in_bits = sum(net.bits for net in ports.net_inputs)
    net_out_bits = sum(net.bits for net in ports.net_outputs)
    taken = [f"in_data[{hi}:{lo}]" for hi, lo in reversed(ports.net_in_slices())]
    return "\n".join(
        [
            *(comment(line, "//") for line in ports.header),
            "`timescale 1ns / 1ps",
            "",
            f"module {ports.top} (",
            _comma_separated(declarations),
            ");",
            f"  reg [{last}:0] valid_chain = 0;",
            "  always @(posedge clk)",
            "    if (rst) valid_chain <= 0;",
            f"    else valid_chain <= {{valid_chain[{last - 1}:0], in_valid}};",
            f"  assign out_valid = valid_chain[{last}];",
            "",
            "  // Features that the network does not need have no wires into it.",
            f"  wire [{net_in_bits - 1}:0] net_in = {{",
            "    " + ",\n    ".join(taken),
            "  };",
            f"  wire [{net_out_bits - 1}:0] net_out;",
            f"  {ports.top}_net net (.clk(clk), .model_inp(net_in), .model_out(net_out));",
            "",
            "  // Sign extension and zeros bring all outputs to one format.",
            f"  wire [{ports.out_bits - 1}:0] words = {{",
            "    " + ",\n    ".join(reversed(_output_words(ports))),
            "  };",
            *_result(ports, width),
            "endmodule",
            "",
        ]
    )


def _comma_separated(declarations: list[str]) -> str:
    """Join port declarations by commas, those before their comments included."""
    lines = []
    for i, declaration in enumerate(declarations):
        code, _, comment = declaration.partition(",  //")
        lines.append(f"    {code}{'' if i == len(declarations) - 1 else ','}{f'  //{comment}' if comment else ''}")
    return "\n".join(lines)


def _output_words(ports: Interface) -> list[str]:
    words = []
    for word, (hi, lo, above, below, signed) in zip(ports.outputs, ports.net_out_slices(), strict=True):
        if hi < lo:
            words.append(f"{{{word.bits}{{1'b0}}}}")
            continue
        parts = [f"net_out[{hi}:{lo}]"]
        if above:
            extended = f"net_out[{hi}]" if signed else "1'b0"
            parts.insert(0, f"{{{above}{{{extended}}}}}")
        if below:
            parts.append(f"{{{below}{{1'b0}}}}")
        words.append("{" + ", ".join(parts) + "}")
    return words


def _result(ports: Interface, width: int) -> list[str]:
    if ports.threshold is None:
        return ["  assign out_data = words;"]
    if ports.decision == "register":
        source = ["  always @(posedge clk) threshold_q <= threshold;"]
        declared = f"  reg signed [{width - 1}:0] threshold_q;"
    else:
        source = []
        declared = f"  wire signed [{width - 1}:0] threshold_q = {_signed(ports.threshold, width)};"
    return [
        "",
        "  // One more register: the comparison with the working point. A tie passes.",
        declared,
        f"  reg [{ports.out_bits - 1}:0] words_q;",
        "  reg decision_q;",
        *source,
        "  always @(posedge clk) begin",
        "    words_q <= words;",
        "    decision_q <= $signed(words) >= threshold_q;",
        "  end",
        "  assign out_data = words_q;",
        "  assign decision = decision_q;",
    ]


def _signed(value: int, width: int) -> str:
    return f"{width}'h{value & ((1 << width) - 1):x}"


def test_bench(ports: Interface) -> str:
    """Return a self-checking test bench that reads ``stimulus.txt`` and ``expected.txt`` and writes ``outputs.txt``."""
    connections = [f".{name}({name})" for name in ("clk", "rst", "in_valid", "in_data", "out_valid", "out_data")]
    threshold, decision, result = [], [], "out_data"
    if ports.threshold is not None:
        decision, result = ["  wire decision;"], "{decision, out_data}"
        connections.append(".decision(decision)")
        if ports.decision == "register":
            width = ports.outputs[0].bits
            threshold = [f"  wire signed [{width - 1}:0] threshold = {_signed(ports.threshold, width)};"]
            connections.append(".threshold(threshold)")
    return "\n".join(
        [
            f"// Test bench of {ports.top}: plays stimulus.txt (a line a clock cycle: valid, in_data in hex), compares",
            "// every valid output with expected.txt (a line an event, hex), checks the latency of each, writes",
            "// outputs.txt (clock cycle, outputs in hex), and prints PASS or FAIL. Run it in these files' folder.",
            "`timescale 1ns / 1ps",
            "",
            f"module tb_{ports.top};",
            f"  localparam LATENCY = {ports.latency_cycles};",
            "  reg clk = 0, rst = 1, in_valid = 1;  // valid in reset: must not come out",
            f"  reg [{ports.in_bits - 1}:0] in_data = 0;",
            "  wire out_valid;",
            f"  wire [{ports.out_bits - 1}:0] out_data;",
            *decision,
            *threshold,
            f"  always #{ports.clock_ns / 2:.3f} clk = ~clk;",
            "",
            f"  {ports.top} dut ({', '.join(connections)});",
            "",
            "  integer stimulus, expectation, outputs, fields, next_valid, drained;",
            "  integer cycle, events, differing, mistimed;",
            "  reg [LATENCY-1:0] delayed_valid = 0;",
            f"  reg [{ports.in_bits - 1}:0] next_data;",
            f"  wire [{ports.result_bits - 1}:0] result = {result};",
            f"  reg [{ports.result_bits - 1}:0] expected;",
            "",
            "  // One process, away from the clock's rising edge: the same in every simulator, old ones included.",
            "  initial begin",
            '    stimulus = $fopen("stimulus.txt", "r");',
            '    expectation = $fopen("expected.txt", "r");',
            '    outputs = $fopen("outputs.txt", "w");',
            "    drained = 0; cycle = -1; events = 0; differing = 0; mistimed = 0;",
            "    repeat (LATENCY + 2) @(negedge clk);",
            "    rst = 0;",
            "    in_valid = 0;",
            "    while (drained <= LATENCY + 2) begin",
            "      // What the ports show in this cycle, then what is played in it.",
            "      @(negedge clk);",
            "      cycle = cycle + 1;",
            "      delayed_valid = {delayed_valid[LATENCY-2:0], in_valid};",
            "      if (out_valid !== delayed_valid[LATENCY-1]) mistimed = mistimed + 1;",
            "      if (out_valid) begin",
            '        $fdisplay(outputs, "%0d %h", cycle, result);',
            "        events = events + 1;",
            '        fields = $fscanf(expectation, "%h", expected);',
            "        if (fields != 1 || result !== expected) differing = differing + 1;",
            "      end",
            '      fields = $fscanf(stimulus, "%d %h", next_valid, next_data);',
            "      in_valid = fields == 2 && next_valid != 0;",
            "      in_data = next_data;",
            "      if (fields != 2) drained = drained + 1;",
            "    end",
            '    $display("%0d events, %0d differing, %0d cycles with a wrong valid (latency %0d)",',
            "             events, differing, mistimed, LATENCY);",
            '    if (events > 0 && differing == 0 && mistimed == 0 && $fscanf(expectation, "%h", expected) != 1)',
            '      $display("PASS");',
            '    else $display("FAIL");',
            "    $fclose(outputs);",
            "    $finish;",
            "  end",
            "endmodule",
            "",
        ]
    )
