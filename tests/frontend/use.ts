// Uses the gateway as a frontend does, through a client made from its document.
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.d.ts";

declare const process: { env: Record<string, string | undefined>; exitCode: number };

type Schemas = components["schemas"];
const { GATEWAY = "", TOKEN = "", COMPANY = "", ACCOUNT = "" } = process.env;
const client = createClient<paths>({
  baseUrl: GATEWAY,
  headers: { Authorization: `Bearer ${TOKEN}` },
});

function expect(isTrue: boolean, what: string): void {
  if (!isTrue) throw new Error(what);
}

/** The answer's content, or an error that says what the gateway said. */
function must<T>(answer: { data?: T; error?: unknown; response: Response }): T {
  if (answer.error !== undefined || !answer.response.ok) {
    throw new Error(`${answer.response.status} ${JSON.stringify(answer.error)}`);
  }
  return answer.data as T;
}

const at = (campaign_id: string) => ({ params: { path: { campaign_id } } });
const company = { params: { path: { company_id: COMPANY } } };

const getCampaigns = async () => must(await client.GET("/api/campaigns"));
const createCampaign = async (body: Schemas["NewCampaign"]) =>
  must(await client.POST("/api/campaigns", { body }));
const updateCampaign = async (id: string, body: Schemas["CampaignChange"]) =>
  must(await client.PUT("/api/campaigns/{campaign_id}", { ...at(id), body }));
const deleteCampaign = async (id: string) =>
  must(await client.DELETE("/api/campaigns/{campaign_id}", at(id)));
const addRecipients = async (id: string, contact_ids: string[]) =>
  must(
    await client.POST("/api/campaigns/{campaign_id}/recipients", { ...at(id), body: { contact_ids } }),
  );

async function makeLeads(): Promise<string[]> {
  const ids: string[] = [];
  for (const first_name of ["Ada", "Grace"]) {
    const body = { email: `${first_name}@example.com`.toLowerCase(), first_name };
    const lead = must(
      await client.POST("/api/companies/{company_id}/leads", { ...company, body }),
    );
    ids.push(lead.id);
  }
  return ids;
}

async function buildSequence(id: string): Promise<void> {
  const steps = "/api/campaigns/{campaign_id}/sequences";
  for (const delay_days of [0, 3]) {
    const message_template = `Hello {{ lead.first_name }}, day ${delay_days}`;
    const subject = delay_days === 0 ? "Hello" : null;
    const body = { channel: "email" as const, subject, message_template, delay_days };
    must(await client.POST(steps, { ...at(id), body }));
  }
  const path = { campaign_id: id, step_number: 2 };
  const changed = must(
    await client.PUT(`${steps}/{step_number}`, { params: { path }, body: { delay_days: 7 } }),
  );
  expect(changed.delay_days === 7, "the step was not changed");
  must(await client.POST(`${steps}/reorder`, { ...at(id), body: { order: [1, 2] } }));
  const listed = must(await client.GET(steps, at(id)));
  expect(listed.map((step) => step.step_number).join() === "1,2", "steps are numbered 1..n");
}

async function main(): Promise<void> {
  const contactIds = await makeLeads();
  const made = await createCampaign({ name: "Spring", type: "email", account_ids: [ACCOUNT] });
  expect(made.status === "draft", "a new campaign is a draft");
  const read = await client.GET("/api/campaigns/{campaign_id}", at(made.id));
  const whole = must(read);
  const back = await updateCampaign(made.id, { name: `${whole.name} 2` });
  expect(back.name === "Spring 2", "the campaign was not renamed");
  const params = { ...at(made.id).params, header: { "If-Match": read.response.headers.get("ETag") } };
  const lost = await client.PUT("/api/campaigns/{campaign_id}", { params, body: { name: "X" } });
  expect(lost.response.status === 412, "a lost update is refused");

  await buildSequence(made.id);
  const added = await addRecipients(made.id, contactIds);
  expect("added" in added && added.added === 2, "two recipients were added");
  const again = await addRecipients(made.id, contactIds);
  expect("already" in again && again.already === 2, "twice is once");

  const active = must(await client.POST("/api/campaigns/{campaign_id}/activate", at(made.id)));
  expect(active.status === "active", "it runs");
  const paused = must(await client.POST("/api/campaigns/{campaign_id}/pause", at(made.id)));
  expect(paused.status === "paused", "it rests");
  const resumed = must(await client.POST("/api/campaigns/{campaign_id}/activate", at(made.id)));
  expect(resumed.status === "active", "it runs again");

  const recipients = must(await client.GET("/api/campaigns/{campaign_id}/recipients", at(made.id)));
  expect(recipients.length === 2, "both are listed");
  const stats = must(await client.GET("/api/campaigns/{campaign_id}/stats", at(made.id)));
  expect(stats.total_recipients === 2, "both are counted");
  expect((await getCampaigns()).some((it) => it.id === made.id), "the campaign is listed");

  await deleteCampaign(made.id);
  expect(!(await getCampaigns()).some((it) => it.id === made.id), "the campaign is gone");
}

await main();
