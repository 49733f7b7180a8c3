import ConfigFile
import Units

extension PolicyLoader {
    mutating func addReservations(_ reader: ConfigReader) {
        for (name, section) in reader.namedTables("reservation") {
            checkName(name, section)
            let index = set.reservations.firstIndex { $0.name == name } ?? set.reservations.count
            if index == set.reservations.count {
                set.reservations.append(
                    Reservation(name: name, source: section.reference("reservation.\(name)")))
            }
            reading("reservation.\(name)") { loader in
                loader.read(section, into: &loader.set.reservations[index])
                section.finish()
            }
        }
    }

    private func read(_ section: ConfigReader, into reservation: inout Reservation) {
        assign(section, "start", section.timestamp("start"), &reservation.start)
        assign(section, "end", section.timestamp("end"), &reservation.end)
        if let hours = section.hours("hour") {
            assign(section, "hour", hours.text, &reservation.hour)
            reservation.week.hours = hours.value
        }
        if let days = section.weekdays("weekday") {
            assign(section, "weekday", days.texts, &reservation.weekday)
            reservation.week.weekdays = days.value
        }
        assign(section, "cpus", section.integer("cpus", in: 0...100_000), &reservation.cpus)
        assign(section, "gpus", section.integer("gpus", in: 0...1024), &reservation.gpus)
        assign(section, "memory", memory(section), &reservation.memory)
        read(section, into: &reservation.audience)
    }

    /// Up to 1 PiB, more than any machine has: the sums of what is kept stay numbers.
    private func memory(_ section: ConfigReader) -> ByteSize? {
        guard let memory = section.size("memory") else { return nil }
        if memory <= .gibibytes(1 << 20) { return memory }
        section.report("memory", "\"\(section.name).memory\" is \(memory); it must be at most 1024 TiB")
        return nil
    }

    mutating func checkReservations() {
        for reservation in set.reservations where !broken.contains("reservation.\(reservation.name)") {
            let place = "[reservation.\(reservation.name)]"
            if reservation.cpus.value == 0, reservation.gpus.value == 0, reservation.memory.value == .zero {
                report(
                    reservation.source, "\(place) keeps nothing",
                    hint: "say how much with cpus, gpus or memory, or remove it")
            }
            if reservation.audience.isEverybody {
                report(
                    reservation.source, "\(place) is for nobody, or for everybody",
                    hint: "name whom it is kept for with user, group or project; what no job may use is"
                        + " machine.reserve-cpus and machine.reserve-memory")
            }
            checkTimes(reservation, place)
        }
    }

    private mutating func checkTimes(_ reservation: Reservation, _ place: String) {
        let (start, end) = (reservation.start, reservation.end)
        let week = reservation.hour.source ?? reservation.weekday.source
        switch (start.value, end.value) {
        case (nil, nil):
            if week == nil {
                report(
                    reservation.source, "\(place) has no time",
                    hint: "give start and end, or hours that recur such as hour = \"08-18\" and weekday = \"mon-fri\"")
            }
        case (let from?, let to?):
            if from >= to {
                report(
                    end.source, "\(place) ends at \(to), which is not after its start (\(start.place))",
                    hint: "start is \(from)")
            }
        case (nil, _?):
            report(end.source, "\(place) has an end but no start", hint: "add start = \"2026-11-24T08:00:00Z\"")
        case (_?, nil):
            report(
                start.source, "\(place) has a start but no end",
                hint: "add end = \"2026-11-24T18:00:00Z\"; what is kept for ever is hour or weekday")
        }
        if let week, start.value != nil || end.value != nil {
            report(
                week, "\(place) has both a start or end and hours that recur",
                hint: "make two reservations of it, or keep one of them")
        }
    }
}
