// Who has written what, as the database itself notes it: epochs of a slot only grow, in none of them two processes have written, and
// who writes owns the slot.

import type { PostgresEngine } from '../../postgres/engine.ts'

/** `chaos_note` has each sentence once, so that what goes wrong a thousand times is told once. */
const INSTALL = `
CREATE TABLE chaos_writer (slot int2, epoch bigint, application text, PRIMARY KEY (slot, epoch, application));
CREATE TABLE chaos_note (what text PRIMARY KEY);

CREATE FUNCTION chaos_note_writer() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
  row_slot int2 := CASE WHEN TG_OP = 'DELETE' THEN OLD.slot ELSE NEW.slot END;
  writer text := current_setting('application_name');
  owner text;
  row_epoch bigint;
BEGIN
  SELECT coalesce('mqttsn ' || node || '/' || incarnation, 'nobody'), epoch INTO owner, row_epoch
    FROM mqttsn_slot WHERE slot = row_slot;
  INSERT INTO chaos_writer VALUES (row_slot, row_epoch, writer) ON CONFLICT DO NOTHING;
  IF writer <> owner THEN
    INSERT INTO chaos_note VALUES (format('%s has written in slot %s, epoch %s, of %s', writer, row_slot, row_epoch, owner))
      ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER chaos_writer AFTER INSERT OR UPDATE OR DELETE ON mqttsn_record
  FOR EACH ROW EXECUTE FUNCTION chaos_note_writer();

CREATE FUNCTION chaos_note_owner() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
BEGIN
  IF NEW.epoch < OLD.epoch OR (NEW.epoch = OLD.epoch AND NEW.node IS NOT NULL
      AND (NEW.node, NEW.incarnation) IS DISTINCT FROM (OLD.node, OLD.incarnation)) THEN
    INSERT INTO chaos_note VALUES (format('slot %s: %s/%s, epoch %s, after %s/%s, epoch %s', NEW.slot, NEW.node, NEW.incarnation,
      NEW.epoch, OLD.node, OLD.incarnation, OLD.epoch)) ON CONFLICT DO NOTHING;
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER chaos_owner AFTER UPDATE ON mqttsn_slot FOR EACH ROW EXECUTE FUNCTION chaos_note_owner();`

const WRONG = `
SELECT what FROM chaos_note
UNION ALL SELECT format('in epoch %s of slot %s have written: %s', epoch, slot, string_agg(application, ', ' ORDER BY application))
  FROM chaos_writer GROUP BY slot, epoch HAVING count(*) > 1`

const ORPHANS = `
SELECT count(*) FROM mqttsn_slot s WHERE NOT EXISTS (SELECT 1 FROM mqttsn_member m
  WHERE m.node = s.node AND m.incarnation = s.incarnation AND m.expires > clock_timestamp())`

/** Watches the tables of gateways that have made them. */
export class WriterWatch {
  readonly #engine: PostgresEngine
  readonly #told = new Set<string>()

  private constructor(engine: PostgresEngine) {
    this.#engine = engine
  }

  static async install(engine: PostgresEngine): Promise<WriterWatch> {
    await engine.primary.sql(INSTALL)
    return new WriterWatch(engine)
  }

  /** What is wrong, each once. */
  async faults(): Promise<string[]> {
    const wrong = (await this.#engine.primary.sql(WRONG)).split('\n')
    const news = wrong.filter((what) => what !== '' && !this.#told.has(what))
    for (const what of news) this.#told.add(what)
    return news
  }

  /** slots whose owner is no member that is alive */
  async orphans(): Promise<number> {
    return Number(await this.#engine.primary.sql(ORPHANS))
  }

  /** processes that have written */
  async writers(): Promise<number> {
    return Number(await this.#engine.primary.sql('SELECT count(DISTINCT application) FROM chaos_writer'))
  }
}
