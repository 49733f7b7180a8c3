import Commands
import Glibc

exit(await Mlctl.run(Array(CommandLine.arguments.dropFirst()), in: .standard()))
