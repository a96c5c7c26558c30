-- Counters and events are written by triggers, in the transaction that changes the rows, so that
-- nobody who changes them can forget it.
--
-- No statement here joins new_rows with old_rows: plans are kept, and one that was made for one
-- row would compare 100,000 rows with each other. `offset 0` keeps look-ups one by one, by index.

-- The same as recipient_status in shared/domain/recipient.py; null: it is not listed any more.
create function recipient_status(end_reason text, is_started boolean) returns text
language sql immutable parallel safe as $body$
  select case
    when end_reason is null then case when is_started then 'in_progress' else 'pending' end
    when end_reason = 'replied' then 'responded'
    when end_reason in ('bounced', 'complaint', 'refused', 'suppressed') then 'failed'
    when end_reason = 'removed' then null
    else 'completed' end
$body$;

-- Adds to a share that nobody holds, or makes one: it waits for nobody, so it cannot deadlock.
create function add_to_campaign(
  of_company uuid, of_campaign uuid,
  by_pending int, by_in_progress int, by_completed int, by_responded int, by_failed int
) returns void language plpgsql as $body$
begin
  update campaign_counters c set
    pending = c.pending + by_pending, in_progress = c.in_progress + by_in_progress,
    completed = c.completed + by_completed, responded = c.responded + by_responded,
    failed = c.failed + by_failed
  where c.id = (
    select f.id from campaign_counters f
    where f.company_id = of_company and f.campaign_id = of_campaign
    limit 1 for update skip locked);
  if not found then
    insert into campaign_counters
      (company_id, campaign_id, pending, in_progress, completed, responded, failed)
    values (of_company, of_campaign,
      by_pending, by_in_progress, by_completed, by_responded, by_failed);
  end if;
end $body$;

create function add_to_step(
  of_company uuid, of_campaign uuid, of_step uuid,
  by_sent int, by_failed int, by_skipped int, by_replied int, by_bounced int, by_unsubscribed int
) returns void language plpgsql as $body$
begin
  update step_counters c set
    sent = c.sent + by_sent, failed = c.failed + by_failed, skipped = c.skipped + by_skipped,
    replied = c.replied + by_replied, bounced = c.bounced + by_bounced,
    unsubscribed = c.unsubscribed + by_unsubscribed
  where c.id = (
    select f.id from step_counters f
    where f.company_id = of_company and f.campaign_id = of_campaign and f.step_id = of_step
    limit 1 for update skip locked);
  if not found then
    insert into step_counters
      (company_id, campaign_id, step_id, sent, failed, skipped, replied, bounced, unsubscribed)
    values (of_company, of_campaign, of_step,
      by_sent, by_failed, by_skipped, by_replied, by_bounced, by_unsubscribed);
  end if;
end $body$;

create function recipients_added() returns trigger language plpgsql as $body$
declare d record;
begin
  for d in
    select company_id, campaign_id, status, count(*)::int as number from (
      select company_id, campaign_id, recipient_status(
        end_reason, launched_at is not null or last_action_at is not null) as status
      from new_rows) s
    where status is not null group by 1, 2, 3 order by 2
  loop
    perform add_to_campaign(d.company_id, d.campaign_id,
      case when d.status = 'pending' then d.number else 0 end,
      case when d.status = 'in_progress' then d.number else 0 end,
      case when d.status = 'completed' then d.number else 0 end,
      case when d.status = 'responded' then d.number else 0 end,
      case when d.status = 'failed' then d.number else 0 end);
  end loop;
  insert into events (company_id, name, campaign_id, recipient_id, payload)
  select company_id, 'recipient.added', campaign_id,
    case when count(*) = 1 then (array_agg(id))[1] end, jsonb_build_object('count', count(*))
  from new_rows group by company_id, campaign_id;
  return null;
end $body$;

create function recipients_changed() returns trigger language plpgsql as $body$
declare d record;
begin
  -- Most changes are of a plan, which nobody counts.
  if not exists (
    select id, end_reason, coalesce(launched_at, last_action_at) is null from new_rows
    except select id, end_reason, coalesce(launched_at, last_action_at) is null from old_rows)
  then return null; end if;

  for d in
    select company_id, campaign_id,
      coalesce(sum(by) filter (where status = 'pending'), 0)::int as pending,
      coalesce(sum(by) filter (where status = 'in_progress'), 0)::int as in_progress,
      coalesce(sum(by) filter (where status = 'completed'), 0)::int as completed,
      coalesce(sum(by) filter (where status = 'responded'), 0)::int as responded,
      coalesce(sum(by) filter (where status = 'failed'), 0)::int as failed
    from (
      select company_id, campaign_id, by, recipient_status(
        end_reason, launched_at is not null or last_action_at is not null) as status
      from (
        select company_id, campaign_id, end_reason, launched_at, last_action_at, 1 as by
        from new_rows
        union all
        select company_id, campaign_id, end_reason, launched_at, last_action_at, -1
        from old_rows) r) s
    group by 1, 2 order by 2
  loop
    perform add_to_campaign(d.company_id, d.campaign_id,
      d.pending, d.in_progress, d.completed, d.responded, d.failed);
  end loop;

  if not exists (select id, end_reason from new_rows except select id, end_reason from old_rows)
  then return null; end if;

  -- What their actions count for depends on how they have ended.
  for d in
    select r.company_id, x.campaign_id, x.step_id,
      coalesce(sum(by) filter (where x.status = 'sent'), 0)::int as sent,
      coalesce(sum(by) filter (where x.status = 'refused'), 0)::int as failed,
      coalesce(sum(by) filter (where x.status = 'skipped'), 0)::int as skipped,
      coalesce(sum(by) filter (where x.responded and end_reason = 'replied'), 0)::int as replied,
      coalesce(sum(by) filter (where x.responded and end_reason = 'bounced'), 0)::int as bounced,
      coalesce(sum(by) filter (where x.responded and end_reason = 'unsubscribed'), 0)::int
        as unsubscribed
    from (
      select company_id, id, end_reason, 1 as by from new_rows
      union all select company_id, id, end_reason, -1 from old_rows) r
    cross join lateral (
      select a.campaign_id, a.step_id, a.status, a.responded_at is not null as responded
      from actions a where a.company_id = r.company_id and a.recipient_id = r.id offset 0) x
    where r.end_reason is distinct from 'removed'
    group by 1, 2, 3 order by 2, 3
  loop
    perform add_to_step(d.company_id, d.campaign_id, d.step_id,
      d.sent, d.failed, d.skipped, d.replied, d.bounced, d.unsubscribed);
  end loop;

  insert into events (company_id, name, campaign_id, recipient_id, payload)
  select company_id, 'recipient.' || coalesce(recipient_status(end_reason, true), 'removed'),
    campaign_id, id, jsonb_build_object('reason', end_reason, 'contact_id', lead_id)
  from new_rows where end_reason is not null and (id, end_reason) in (
    select id, end_reason from new_rows except select id, end_reason from old_rows);
  return null;
end $body$;

-- Before the cascade, while it can still be seen how the recipient has ended.
create function recipient_leaves() returns trigger language plpgsql as $body$
begin
  delete from actions where company_id = old.company_id and recipient_id = old.id;
  return old;
end $body$;

create function recipients_deleted() returns trigger language plpgsql as $body$
declare d record;
begin
  for d in
    select company_id, campaign_id, status, -count(*)::int as number from (
      select company_id, campaign_id, recipient_status(
        end_reason, launched_at is not null or last_action_at is not null) as status
      from old_rows) s
    where status is not null group by 1, 2, 3 order by 2
  loop
    perform add_to_campaign(d.company_id, d.campaign_id,
      case when d.status = 'pending' then d.number else 0 end,
      case when d.status = 'in_progress' then d.number else 0 end,
      case when d.status = 'completed' then d.number else 0 end,
      case when d.status = 'responded' then d.number else 0 end,
      case when d.status = 'failed' then d.number else 0 end);
  end loop;
  insert into events (company_id, name, campaign_id, recipient_id, payload)
  select company_id, 'recipient.removed', campaign_id, id,
    jsonb_build_object('reason', 'removed', 'contact_id', lead_id)
  from old_rows where end_reason is distinct from 'removed';
  return null;
end $body$;

-- One action more or less for its step, by how its recipient has ended.
create function count_action(
  company uuid, campaign uuid, step uuid, recipient uuid, status text, responded boolean, by int
) returns void language plpgsql as $body$
declare ended text;
begin
  if not responded and status not in ('sent', 'refused', 'skipped') then return; end if;
  select r.end_reason into ended from recipients r where r.company_id = company and r.id = recipient;
  if not found or ended = 'removed' then return; end if;
  perform add_to_step(company, campaign, step,
    case when status = 'sent' then by else 0 end,
    case when status = 'refused' then by else 0 end,
    case when status = 'skipped' then by else 0 end,
    case when responded and ended = 'replied' then by else 0 end,
    case when responded and ended = 'bounced' then by else 0 end,
    case when responded and ended = 'unsubscribed' then by else 0 end);
end $body$;

create function action_settled() returns trigger language plpgsql as $body$
begin
  if tg_op <> 'INSERT' then
    perform count_action(old.company_id, old.campaign_id, old.step_id, old.recipient_id,
      old.status, old.responded_at is not null, -1);
  end if;
  if tg_op = 'DELETE' then return null; end if;
  perform count_action(new.company_id, new.campaign_id, new.step_id, new.recipient_id,
    new.status, new.responded_at is not null, 1);
  if tg_op = 'UPDATE' then
    if new.status = old.status or new.status = 'reserved' then return null; end if;
  end if;
  insert into events (company_id, name, campaign_id, recipient_id, action_id, payload)
  values (new.company_id,
    'action.' || case new.status when 'refused' then 'failed' else new.status end,
    new.campaign_id, new.recipient_id, new.id, jsonb_strip_nulls(
      jsonb_build_object('step_id', new.step_id, 'error_message', new.refusal)));
  return null;
end $body$;

create function campaign_changed() returns trigger language plpgsql as $body$
declare happened text;
begin
  happened := case
    when tg_op = 'INSERT' then 'created'
    when new.deleted_at is not null and old.deleted_at is null then 'deleted'
    when new.archived_at is not null and old.archived_at is null then 'archived'
    when new.status = old.status then null
    when new.status = 'active' and old.status = 'paused' then 'resumed'
    when new.status = 'active' then 'activated'
    else new.status end;
  if happened is not null then
    insert into events (company_id, name, campaign_id, payload)
    values (new.company_id, 'campaign.' || happened, new.id,
      jsonb_build_object('name', new.name, 'status', new.status));
  end if;
  return null;
end $body$;

create function inbound_event_tied() returns trigger language plpgsql as $body$
begin
  insert into events (company_id, name, campaign_id, recipient_id, payload)
  select new.company_id,
    case new.kind when 'reply' then 'reply.received' when 'call_ended' then 'call.ended'
      else 'reply.' || new.kind end,
    r.campaign_id, r.id, jsonb_build_object('inbound_event_id', new.id, 'kind', new.kind,
      'contact_id', r.lead_id, 'occurred_at', new.occurred_at)
  from recipients r where r.id = new.recipient_id;
  return null;
end $body$;

create trigger recipients_added after insert on recipients
  referencing new table as new_rows for each statement execute function recipients_added();
create trigger recipients_changed after update on recipients
  referencing old table as old_rows new table as new_rows
  for each statement execute function recipients_changed();
create trigger recipient_leaves before delete on recipients
  for each row execute function recipient_leaves();
create trigger recipients_deleted after delete on recipients
  referencing old table as old_rows for each statement execute function recipients_deleted();

-- Nobody settles thousands of actions in one statement, so these go row by row.
create trigger action_settled_at_once after insert on actions
  for each row when (new.status <> 'reserved') execute function action_settled();
create trigger action_settled after update on actions
  for each row when (new.status is distinct from old.status
    or (new.responded_at is null) <> (old.responded_at is null))
  execute function action_settled();
create trigger action_deleted after delete on actions
  for each row when (old.status <> 'reserved') execute function action_settled();

create trigger campaign_changed after insert or update of status, deleted_at, archived_at
  on campaigns for each row execute function campaign_changed();
create trigger inbound_event_stored after insert on inbound_events
  for each row when (new.recipient_id is not null) execute function inbound_event_tied();
create trigger inbound_event_tied after update of recipient_id on inbound_events
  for each row when (new.recipient_id is not null and old.recipient_id is null)
  execute function inbound_event_tied();
