"""The wrapper and its test bench in VHDL-2008."""

from __future__ import annotations

from nas_fpga.export._rtl._interface import Interface
from nas_fpga.export._text import comment

_LIBRARIES = ["library ieee;", "use ieee.std_logic_1164.all;", "use ieee.numeric_std.all;"]


def wrapper(ports: Interface) -> str:
    """Return the entity that board firmware instantiates."""
    last = ports.latency_cycles - 1
    net_in_bits = sum(net.bits for net in ports.net_inputs)
    net_out_bits = sum(net.bits for net in ports.net_outputs)
    taken = [f"in_data({hi} downto {lo})" for hi, lo in reversed(ports.net_in_slices())]
    return "\n".join(
        [
            *(comment(line, "--") for line in ports.header),
            *_LIBRARIES,
            "",
            f"entity {ports.top} is port(",
            ";\n".join(f"    {name} : {direction} {kind}" for name, direction, kind in _ports(ports)),
            f"); end entity {ports.top};",
            "",
            f"architecture rtl of {ports.top} is",
            f"  signal valid_chain : std_logic_vector({last} downto 0) := (others => '0');",
            f"  signal net_in : std_logic_vector({net_in_bits - 1} downto 0);",
            f"  signal net_out : std_logic_vector({net_out_bits - 1} downto 0);",
            f"  signal words : std_logic_vector({ports.out_bits - 1} downto 0);",
            *_result_signals(ports),
            "begin",
            "  process(clk) begin",
            "    if rising_edge(clk) then",
            "      if rst = '1' then valid_chain <= (others => '0');",
            f"      else valid_chain <= valid_chain({last - 1} downto 0) & in_valid;",
            "      end if;",
            "    end if;",
            "  end process;",
            f"  out_valid <= valid_chain({last});",
            "",
            "  -- Features that the network does not need have no wires into it.",
            "  net_in <= " + "\n    & ".join(taken) + ";",
            f"  net : entity work.{ports.top}_net port map(clk => clk, model_inp => net_in, model_out => net_out);",
            "",
            "  -- Sign extension and zeros bring all outputs to one format.",
            *_output_words(ports),
            *_result(ports),
            "end architecture rtl;",
            "",
        ]
    )


def _ports(ports: Interface) -> list[tuple[str, str, str]]:
    declared = [
        ("clk", "in", "std_logic"),
        ("rst", "in", "std_logic"),
        ("in_valid", "in", "std_logic"),
        ("in_data", "in", f"std_logic_vector({ports.in_bits - 1} downto 0)"),
        ("out_valid", "out", "std_logic"),
        ("out_data", "out", f"std_logic_vector({ports.out_bits - 1} downto 0)"),
    ]
    if ports.decision == "register":
        declared.append(("threshold", "in", f"std_logic_vector({ports.outputs[0].bits - 1} downto 0)"))
    if ports.decision != "none":
        declared.append(("decision", "out", "std_logic"))
    return declared


def _output_words(ports: Interface) -> list[str]:
    lines = []
    for word, (hi, lo, above, below, signed) in zip(ports.outputs, ports.net_out_slices(), strict=True):
        target = f"  words({word.hi} downto {word.lo}) <= "
        if hi < lo:
            lines.append(target + "(others => '0');")
            continue
        parts = [f"net_out({hi} downto {lo})"]
        if above:
            extended = f"net_out({hi})" if signed else "'0'"
            parts.insert(0, f"({above - 1} downto 0 => {extended})")
        if below:
            parts.append(f"({below - 1} downto 0 => '0')")
        lines.append(target + " & ".join(parts) + ";")
    return lines


def _result_signals(ports: Interface) -> list[str]:
    if ports.threshold is None:
        return []
    width = ports.outputs[0].bits
    kind = f"signal threshold_q : signed({width - 1} downto 0)"
    if ports.decision == "constant":
        kind = kind.replace("signal", "constant", 1) + f" := {_signed(ports.threshold, width)}"
    return [f"  {kind};", f"  signal words_q : std_logic_vector({ports.out_bits - 1} downto 0);"]


def _result(ports: Interface) -> list[str]:
    if ports.threshold is None:
        return ["  out_data <= words;"]
    return [
        "",
        "  -- One more register: the comparison with the working point. A tie passes.",
        "  process(clk) begin",
        "    if rising_edge(clk) then",
        *(["      threshold_q <= signed(threshold);"] if ports.decision == "register" else []),
        "      words_q <= words;",
        "      if signed(words) >= threshold_q then decision <= '1'; else decision <= '0'; end if;",
        "    end if;",
        "  end process;",
        "  out_data <= words_q;",
    ]


def _signed(value: int, width: int) -> str:
    return f'"{value & ((1 << width) - 1):0{width}b}"'


def test_bench(ports: Interface) -> str:
    """Return a self-checking test bench; see the SystemVerilog one, whose files it shares."""
    names = [name for name, _, _ in _ports(ports)]
    signals = [
        f"  signal {name} : {kind}{_initial(ports, name)};" for name, _, kind in _ports(ports) if name not in ("clk",)
    ]
    in_padded, result_padded = (4 * ((bits + 3) // 4) for bits in (ports.in_bits, ports.result_bits))
    result = "out_data" if ports.decision == "none" else "decision & out_data"
    return "\n".join(
        [
            f"-- Test bench of {ports.top}: plays stimulus.txt (a line a clock cycle: valid, in_data in hex), compares",
            "-- every valid output with expected.txt (a line an event, hex), checks the latency of each, writes",
            "-- outputs.txt (clock cycle, outputs in hex), and prints PASS or FAIL. Run it in these files' folder.",
            *_LIBRARIES,
            "use std.textio.all;",
            "use std.env.all;",
            "",
            f"entity tb_{ports.top} is end entity;",
            "",
            f"architecture sim of tb_{ports.top} is",
            f"  constant LATENCY : positive := {ports.latency_cycles};",
            "  signal clk : std_logic := '0';",
            *signals,
            "begin",
            f"  clk <= not clk after {ports.clock_ns / 2:.3f} ns;",
            f"  dut : entity work.{ports.top} port map({', '.join(f'{name} => {name}' for name in names)});",
            "",
            "  process",
            '    file stimulus : text open read_mode is "stimulus.txt";',
            '    file expectation : text open read_mode is "expected.txt";',
            '    file outputs : text open write_mode is "outputs.txt";',
            "    variable row : line;",
            "    variable cycle : integer := -1;",
            "    variable events, differing, mistimed, drained, next_valid : integer := 0;",
            f"    variable next_data : std_logic_vector({in_padded - 1} downto 0);",
            f"    variable result, expected : std_logic_vector({result_padded - 1} downto 0) := (others => '0');",
            "    variable delayed_valid : std_logic_vector(LATENCY - 1 downto 0) := (others => '0');",
            "  begin",
            "    for i in 1 to LATENCY + 2 loop wait until rising_edge(clk); end loop;",
            "    rst <= '0';",
            "    in_valid <= '0';  -- it was valid in reset, which must not come out",
            "    while drained <= LATENCY + 2 loop",
            "      -- What the ports show at the end of a cycle, then what is played in the next.",
            "      wait until rising_edge(clk);",
            "      if out_valid /= delayed_valid(LATENCY - 1) then mistimed := mistimed + 1; end if;",
            "      if out_valid = '1' then",
            f"        result({ports.result_bits - 1} downto 0) := {result};",
            "        write(row, cycle);",
            "        write(row, ' ');",
            "        hwrite(row, result);",
            "        writeline(outputs, row);",
            "        events := events + 1;",
            "        if endfile(expectation) then differing := differing + 1;",
            "        else",
            "          readline(expectation, row);",
            "          hread(row, expected);",
            "          if result /= expected then differing := differing + 1; end if;",
            "        end if;",
            "      end if;",
            "      delayed_valid := delayed_valid(LATENCY - 2 downto 0) & in_valid;",
            "      cycle := cycle + 1;",
            "      in_valid <= '0';",
            "      if endfile(stimulus) then drained := drained + 1;",
            "      else",
            "        readline(stimulus, row);",
            "        read(row, next_valid);",
            "        hread(row, next_data);",
            "        if next_valid /= 0 then in_valid <= '1'; end if;",
            f"        in_data <= next_data({ports.in_bits - 1} downto 0);",
            "      end if;",
            "    end loop;",
            '    report integer\'image(events) & " events, " & integer\'image(differing) & " differing, "',
            '      & integer\'image(mistimed) & " cycles with a wrong valid (latency "',
            '      & integer\'image(LATENCY) & ")";',
            "    if events > 0 and differing = 0 and mistimed = 0 and endfile(expectation) then",
            '      report "PASS";',
            '    else report "FAIL";',
            "    end if;",
            "    finish;",
            "  end process;",
            "end architecture sim;",
            "",
        ]
    )


def _initial(ports: Interface, name: str) -> str:
    if name == "threshold" and ports.threshold is not None:
        return f" := {_signed(ports.threshold, ports.outputs[0].bits)}"
    return {"rst": " := '1'", "in_valid": " := '1'", "in_data": " := (others => '0')"}.get(name, "")
