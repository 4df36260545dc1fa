// The run, its slots and the map in words.

export const LIVE = "under way";

export function stateWords(progress) {
  if (!progress) return "";
  const words = {
    [LIVE]: "● live", whole: "■ ended", interrupted: "▲ interrupted: the record ends early",
    unreadable: `▲ the record cannot be read: ${progress.error}`,
  };
  return words[progress.state];
}

export function slotWords(slot) {
  const charge = `charge ${(100 * slot.charge_min).toFixed(1)} % least, ${(100 * slot.charge_mean).toFixed(1)} % mean`;
  return `slot ${slot.number}: ${slot.links.toLocaleString("en")} lasers, ${slot.jobs} jobs in nodes, ` +
    `${slot.parcels_waiting} packets waiting (${slot.bytes_waiting.toLocaleString("en")} B), ` +
    `${slot.satellites_out} satellites out, ${charge}, load ${slot.load_w.toFixed(0)} W`;
}

export function mapWords(sky, places, slot, flying) {
  const lit = sky.sunlit(), n = sky.count, count = (value) => value.toLocaleString("en");
  const served = slot ? `, ${slot.users_served} of ${places} places served` : "";
  return `${count(n)} satellites, ${count(lit)} sunlit, ${count(n - lit)} in shadow${served}, ${flying} queries in flight`;
}
